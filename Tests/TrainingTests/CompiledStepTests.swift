// SPDX-License-Identifier: Apache-2.0
import Autodiff
import CPURuntime
import GraphIR
import TensorCore
import Testing

/// A small residual network with everything that a CIFAR ResNet has: a strided block, a shortcut
/// of slices and zero channels, a global pool, a linear layer.
private struct SmallNetwork {
  var graph = Graph()
  var random = RandomSource(seed: 3)
  /// Whether there is a depthwise convolution between normalizations whose results nothing else
  /// reads.
  var hasDepthwise = false
  let batch = 16
  let classes = 5

  mutating func reals(_ shape: [Int], _ scale: Double) -> Tensor {
    Tensor(
      (0..<shape.reduce(1, *)).map { _ in Float((random.nextUniform() * 2 - 1) * scale) },
      shape: shape)
  }

  mutating func convolution(
    _ input: ValueID, _ name: String, _ from: Int, _ to: Int, stride: Int = 1, group: Int = 1
  ) -> ValueID {
    let weight = graph.addConstant(
      reals([to, from / group, 3, 3], (2 / Double(9 * from / group)).squareRoot()),
      name: "\(name).weight")
    return graph.addNode(
      Conv(strides: [stride, stride], padding: .explicit([1, 1, 1, 1]), group: group), name: name,
      inputs: [input, weight], outputNames: [name])[0]
  }

  mutating func normalization(_ input: ValueID, _ name: String, _ channels: Int) -> ValueID {
    let ones = Tensor([Float](repeating: 1, count: channels), shape: [channels])
    let zeros = Tensor(zerosOf: .float32, shape: [channels])
    let parameters = [("weight", ones), ("bias", zeros), ("mean", zeros), ("var", ones)]
      .map { graph.addConstant($1, name: "\(name).\($0)") }
    return graph.addNode(
      BatchNormalization(), name: name, inputs: [input] + parameters, outputNames: [name])[0]
  }

  mutating func node(_ op: any Op, _ name: String, _ inputs: ValueID...) -> ValueID {
    graph.addNode(op, name: name, inputs: inputs, outputNames: [name])[0]
  }

  mutating func list(_ values: [Int64], _ name: String) -> ValueID {
    graph.addConstant(Tensor(values, shape: [values.count]), name: name)
  }

  /// The step: loss, gradients, and momentum on every parameter.
  mutating func step() throws -> (TrainingStep, feeds: [String: Tensor]) {
    let image = graph.addInput(
      name: "image", type: TensorType(.float32, shape: [batch, 3, 12, 12]))
    var x = convolution(image, "stem", 3, 8)
    x = node(Unary(.relu), "stem.relu", normalization(x, "stem.norm", 8))
    var y = convolution(x, "first", 8, 16, stride: 2)
    y = node(Unary(.relu), "first.relu", normalization(y, "first.norm", 16))
    if hasDepthwise {
      y = normalization(convolution(y, "depth", 16, 16, group: 16), "depth.norm", 16)
      let bounds = [Float(0), 6].map { graph.addConstant(Tensor(scalar: $0), name: "bound \($0)") }
      y = node(Clip(), "depth.relu6", y, bounds[0], bounds[1])
    }
    y = normalization(convolution(y, "second", 16, 16), "second.norm", 16)
    let cut = node(
      Slice(), "slice", x, list([0, 0], "starts"), list([12, 12], "ends"), list([2, 3], "axes"),
      list([2, 2], "steps"))
    let shortcut = node(Pad(), "pad", cut, list([0, 4, 0, 0, 0, 4, 0, 0], "pads"))
    x = node(Unary(.relu), "second.relu", node(Binary(.add), "add", y, shortcut))
    x = node(Flatten(), "flat", node(GlobalPool(.average), "pool", x))
    let weight = graph.addConstant(reals([classes, 16], 0.5), name: "head.weight")
    let bias = graph.addConstant(reals([classes], 0.1), name: "head.bias")
    let logits = node(Gemm(transposesB: true), "head", x, weight, bias)
    graph.markOutput(logits)
    graph.inferTypes()
    let form = try graph.inTrainingForm()
    graph = form.graph
    let output = graph.outputs[0]
    let targets = graph.addInput(
      name: "targets", type: TensorType(.float32, shape: [batch, classes]))
    let rate = graph.addInput(name: "rate", type: TensorType(.float32, shape: []))
    let (loss, _) = graph.addSoftmaxCrossEntropy(logits: output, targets: targets)
    let result = try graph.addingGradients(
      of: loss, withRespectTo: form.parameters.map(\.input))
    graph = result.graph
    var variables: [TrainingVariable] = []
    for parameter in form.parameters {
      let gradient = try #require(result.gradients[parameter.input])
      let shape = parameter.initial.shape
      let velocity = graph.addInput(
        name: "\(parameter.name).velocity", type: TensorType(.float32, shape: shape))
      let updated = graph.addNode(
        SGDUpdate(momentum: 0.9, weightDecay: 1e-3), name: "\(parameter.name).update",
        inputs: [parameter.input, gradient, velocity, rate],
        outputNames: ["\(parameter.name).new", "\(parameter.name).velocity.new"])
      variables.append(
        TrainingVariable(
          name: parameter.name, input: parameter.input, output: updated[0],
          initial: parameter.initial))
      variables.append(
        TrainingVariable(
          name: "\(parameter.name).velocity", input: velocity, output: updated[1],
          initial: Tensor(zerosOf: .float32, shape: shape)))
    }
    for statistic in form.statistics {
      variables.append(
        TrainingVariable(
          name: statistic.name, input: statistic.input, output: statistic.output,
          initial: statistic.initial))
    }
    graph.setOutputs([loss])
    graph.inferTypes()
    var labels = [Float](repeating: 0, count: batch * classes)
    for sample in 0..<batch { labels[sample * classes + sample % classes] = 1 }
    let feeds = [
      "image": reals([batch, 3, 12, 12], 2),
      "targets": Tensor(labels, shape: [batch, classes]), "rate": Tensor(scalar: Float(0.1)),
    ]
    return (TrainingStep(graph: graph, variables: variables), feeds)
  }
}

@Suite("Compiled steps of training")
struct CompiledStepTests {
  private func trained(
    _ step: TrainingStep, _ feeds: [String: Tensor], steps: Int, threads: Int,
    precision: Precision
  ) throws -> (values: [String: Tensor], losses: [Float]) {
    let store = VariableStore()
    let program = try TrainingProgram(
      step, store: store, options: TrainingOptions(threads: threads, precision: precision))
    #expect(!program.steps.contains { $0.implementation == "reference" })
    var losses: [Float] = []
    for _ in 0..<steps {
      losses.append(try #require(program.run(feeds)["loss"]).floats()[0])
    }
    let values = store.names.map { ($0, store.value(of: $0)) }
    return (Dictionary(uniqueKeysWithValues: values).compactMapValues { $0 }, losses)
  }

  // f32: sums of up to 2,304 rounded products against double. bf16: a value within 2⁻⁹ of zero
  // changes side of a relu, that is one in 600 of a normal distribution; what it lets through or
  // not is √(1/600) = 4 % of the gradient's norm in each of three layers, 7 % together, and half as
  // much again for the roundings of the gradients, times √2 for sums over channels that cancel.
  @Test(
    "One step of a residual network changes every variable as the reference does",
    arguments: [
      (Precision.fp32, 1e-4, false), (Precision.fp32, 1e-4, true), (Precision.bf16, 0.15, false),
    ])
  func oneStep(precision: Precision, tolerance: Double, hasDepthwise: Bool) throws {
    var network = SmallNetwork(hasDepthwise: hasDepthwise)
    let (step, feeds) = try network.step()
    var graph = step.graph
    graph.setOutputs(graph.outputs + step.variables.compactMap(\.output))
    var all = feeds
    for variable in step.variables { all[variable.name] = variable.initial }
    let want = try Interpreter(graph).run(all)
    let got = try trained(step, feeds, steps: 1, threads: 2, precision: precision)
    let loss = want[0].reals()[0]
    #expect(abs(Double(got.losses[0]) - loss) <= min(tolerance, 1e-2) * loss)
    for (variable, expected) in zip(step.variables, want.dropFirst()) {
      let actual = try #require(got.values[variable.name]).reals()
      let pairs = zip(expected.reals(), actual)
      let change = zip(expected.reals(), variable.initial.reals())
        .map { ($0 - $1) * ($0 - $1) }.reduce(0, +).squareRoot()
      let distance = pairs.map { ($0 - $1) * ($0 - $1) }.reduce(0, +).squareRoot()
      #expect(distance <= tolerance * max(change, 1e-3), "\(variable.name)")
    }
  }

  @Test(
    "Several steps end at the same bytes on one, two and three threads",
    arguments: [Precision.fp32, .bf16])
  func threads(precision: Precision) throws {
    var network = SmallNetwork(hasDepthwise: true)
    let (step, feeds) = try network.step()
    let one = try trained(step, feeds, steps: 4, threads: 1, precision: precision)
    #expect(one.losses[3] < one.losses[0])
    for threads in 2...3 {
      let more = try trained(step, feeds, steps: 4, threads: threads, precision: precision)
      #expect(more.values == one.values)
      #expect(more.losses == one.losses)
    }
  }

  @Test("A normalization's result lies somewhere only if more than one convolution reads it")
  func postponed() throws {
    var network = SmallNetwork(hasDepthwise: true)
    let (step, _) = try network.step()
    let program = try TrainingProgram(step, store: VariableStore())
    let stored = program.steps.filter { $0.kind == "BatchStatisticsNormalization" }
    #expect(stored.map(\.nodes) == [["stem.norm"], ["second.norm"]])
  }

  @Test("A profile names every kind of step and the waiting, and steps count")
  func profile() throws {
    var network = SmallNetwork()
    let (step, feeds) = try network.step()
    let store = VariableStore()
    let program = try TrainingProgram(step, store: store, options: TrainingOptions(threads: 2))
    let before = store.value(of: "head.weight")
    let timings = try program.profile(feeds, runs: 3)
    #expect(store.value(of: "head.weight") != before)
    let kinds = Set(timings.map(\.label.kind))
    #expect(kinds.isSuperset(of: ["Conv", "ConvInputGradient", "ConvWeightGradient", "Wait"]))
    #expect(timings.allSatisfy { $0.seconds >= 0 } && timings.contains { $0.seconds > 0 })
    #expect(timings.map(\.label) == program.steps)
  }
}
