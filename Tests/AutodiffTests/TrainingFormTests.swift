// SPDX-License-Identifier: Apache-2.0
import Autodiff
import GraphIR
import TensorCore
import Testing

@Suite("A graph in training form has its weights as inputs and normalizes by the batch")
struct TrainingFormTests {
  /// A graph made step by step, with weights that are drawn at random.
  struct Portable {
    var graph = Graph(name: "portable")
    var random = RandomSource(seed: 11)

    mutating func image(_ shape: [Dimension] = [.symbol("N"), .fixed(3), .fixed(6), .fixed(6)])
      -> ValueID
    { graph.addInput(name: "image", type: TensorType(.float32, shape)) }

    mutating func constant(_ name: String, _ shape: [Int], _ low: Float = -1, _ high: Float = 1)
      -> ValueID
    {
      let numbers = (0..<shape.reduce(1, *)).map { _ in
        low + (high - low) * Float(random.nextUniform())
      }
      return graph.addConstant(Tensor(numbers, shape: shape), name: name)
    }

    mutating func node(_ op: any Op, _ inputs: ValueID?..., name: String) -> ValueID {
      graph.addNode(op, name: name, inputs: inputs, outputNames: ["\(name).out"])[0]
    }

    mutating func convolution(_ x: ValueID, _ name: String, _ shape: [Int]) -> ValueID {
      node(
        Conv(padding: .explicit([1, 1, 1, 1])), x, constant("\(name).weight", shape),
        name: name)
    }

    mutating func normalization(_ x: ValueID, _ name: String, _ channels: Int) -> ValueID {
      node(
        BatchNormalization(), x, constant("\(name).weight", [channels], 0.5, 1.5),
        constant("\(name).bias", [channels]), constant("\(name).running_mean", [channels]),
        constant("\(name).running_var", [channels], 0.5, 1.5), name: name)
    }

    func finished(_ output: ValueID) -> Graph {
      var graph = graph
      graph.markOutput(output)
      graph.inferTypes()
      return graph
    }
  }

  static func block(activation: any Op, bounds: [Float] = []) -> Graph {
    var net = Portable()
    let x = net.image()
    let first = net.normalization(net.convolution(x, "conv1", [3, 3, 3, 3]), "bn1", 3)
    let clipped = bounds.map { net.graph.addConstant(Tensor(scalar: $0), name: "bound") }
    let active = net.graph.addNode(
      activation, name: "act1", inputs: [first] + clipped, outputNames: ["act1.out"])[0]
    let second = net.normalization(net.convolution(active, "conv2", [3, 3, 3, 3]), "bn2", 3)
    let sum = net.node(Binary(.add), second, active, name: "add")
    let output = net.node(Unary(.relu), sum, name: "act2")
    return net.finished(output)
  }

  @Test(
    "Additions and activations behind a normalization go into it",
    arguments: [
      (0, TrainingActivation.relu), (1, .relu6), (2, .hardSwish), (3, .relu),
    ])
  func fusion(_ kind: Int, _ expected: TrainingActivation) throws {
    let graph =
      switch kind {
      case 0: Self.block(activation: Unary(.relu))
      case 1: Self.block(activation: Clip(), bounds: [0, 6])
      case 2: Self.block(activation: Unary(.hardSwish))
      default: Self.block(activation: Clip(), bounds: [0])
      }
    let form = try graph.inTrainingForm()
    try Verifier.verify(form.graph)
    let normalizations = form.graph.nodes.compactMap { $0.op as? BatchStatisticsNormalization }
    #expect(normalizations.map(\.activation) == [expected, .relu])
    #expect(form.graph.nodes.count == 4)
    #expect(form.graph.nodes[3].inputs.count == 6)
    #expect(
      form.parameters.map(\.name) == [
        "conv1.weight", "bn1.weight", "bn1.bias", "conv2.weight", "bn2.weight", "bn2.bias",
      ])
    #expect(
      form.parameters.map(\.role) == [
        .weight, .normalizationScale, .normalizationBias, .weight, .normalizationScale,
        .normalizationBias,
      ])
    #expect(
      form.statistics.map(\.name) == [
        "bn1.running_mean", "bn1.running_var", "bn2.running_mean", "bn2.running_var",
      ])
    #expect(form.graph.outputs.map { form.graph[$0].name } == ["act2.out"])
  }

  @Test("The training form computes what batch normalization in training mode does")
  func sameNumbers() throws {
    let graph = Self.block(activation: Unary(.relu))
    let form = try graph.inTrainingForm()
    var training = graph
    var nodes: [(Node, BatchNormalization)] = []
    for node in graph.nodes {
      guard var op = node.op as? BatchNormalization else { continue }
      op.trainingMode = true
      nodes.append((node, op))
    }
    for (node, op) in nodes {
      var patch = GraphPatch(of: training)
      patch.remove(node)
      patch.addNode(op, name: node.name, inputs: node.inputs, outputs: node.outputs)
      training = try training.applying(patch)
    }
    var values = Portable()
    let drawn = values.constant("image", [2, 3, 6, 6])
    let image = values.graph.constant(drawn)
    var inputs = ["image": try #require(image)]
    let expected = try Interpreter(training).run(inputs)[0].floats()
    for parameter in form.parameters { inputs[parameter.name] = parameter.initial }
    for statistic in form.statistics { inputs[statistic.name] = statistic.initial }
    var stepped = form.graph
    stepped.setOutputs(form.graph.outputs + form.statistics.map(\.output))
    let results = try Interpreter(stepped).run(inputs)
    // Values of order 10 that pass three roundings to 2⁻²⁴ more in one form than in the other.
    for (left, right) in zip(results[0].floats(), expected) { #expect(abs(left - right) < 1e-5) }
    #expect(results[1].shape == [3] && results[1] != form.statistics[0].initial)
  }

  @Test("Values with other uses are not fused away")
  func severalUses() throws {
    var net = Portable()
    let x = net.image()
    let normal = net.normalization(net.convolution(x, "conv", [3, 3, 3, 3]), "bn", 3)
    let active = net.node(Unary(.relu), normal, name: "relu")
    let output = net.node(Binary(.multiply), active, normal, name: "product")
    let form = try net.finished(output).inTrainingForm()
    #expect(
      form.graph.nodes.map(\.op.kind) == ["Conv", "BatchStatisticsNormalization", "Relu", "Mul"])
  }

  @Test("Of two normalizations that are added, one takes the other as its addend")
  func twoNormalizations() throws {
    var net = Portable()
    let x = net.image()
    let left = net.normalization(net.convolution(x, "conv1", [3, 3, 3, 3]), "bn1", 3)
    let right = net.normalization(net.convolution(x, "conv2", [3, 3, 3, 3]), "bn2", 3)
    let sum = net.node(Binary(.add), left, right, name: "add")
    let output = net.node(Unary(.relu), sum, name: "relu")
    let form = try net.finished(output).inTrainingForm()
    try Verifier.verify(form.graph)
    #expect(form.graph.nodes.count == 4)
    #expect(form.statistics.count == 4)
  }

  @Test("A network whose normalizations were folded trains as it is")
  func folded() throws {
    var net = Portable()
    let x = net.image()
    let weight = net.constant("conv.weight", [2, 3, 3, 3])
    let convolved = net.node(Conv(), x, weight, net.constant("conv.bias", [2]), name: "conv")
    let output = net.node(Unary(.relu), convolved, name: "relu")
    let form = try net.finished(output).inTrainingForm()
    #expect(form.graph.nodes.map(\.op.kind) == ["Conv", "Relu"])
    #expect(form.parameters.map(\.role) == [.weight, .bias])
    #expect(form.statistics.isEmpty && form.step == nil)
  }

  @Test("Initial values that exporters store once, behind Identity, are parameters of their own")
  func identities() throws {
    var net = Portable()
    let x = net.image()
    let one = net.constant("ones", [3], 1, 1)
    let zero = net.constant("zeros", [3], 0, 0)
    let names = ["bn2.weight", "bn2.bias", "bn2.running_mean", "bn2.running_var"]
    let shared = zip(names, [one, zero, zero, one]).map { name, source in
      net.graph.addNode(Identity(), name: "", inputs: [source], outputNames: [name])[0]
    }
    let first = net.node(BatchNormalization(), x, one, zero, zero, one, name: "bn1")
    let second = net.graph.addNode(
      BatchNormalization(), name: "bn2", inputs: [first] + shared, outputNames: ["y"])[0]
    let graph = net.finished(second)
    let form = try graph.inTrainingForm()
    try Verifier.verify(form.graph)
    #expect(form.parameters.map(\.name) == ["ones", "zeros", "bn2.weight", "bn2.bias"])
    #expect(form.statistics.map(\.name).suffix(2) == ["bn2.running_mean", "bn2.running_var"])
    #expect(!form.graph.nodes.contains { $0.op is Identity })
    let trained = Tensor([Float(4), 5, 6], shape: [3])
    let changed = try graph.settingConstants(["bn2.weight": trained])
    #expect(changed.constant(changed.value(named: "bn2.weight")) == trained)
    #expect(changed.constant(changed.value(named: "ones")) == graph.constant(one))
    #expect(changed.nodes.count == graph.nodes.count - 1)
    try Verifier.verify(changed)
  }

  @Test("Products with constant matrices, their biases and layer scales are weights")
  func products() throws {
    var net = Portable()
    let x = net.graph.addInput(
      name: "x", type: TensorType(.float32, [.symbol("N"), .fixed(4)]))
    let shifted = net.node(
      Binary(.subtract), x, net.constant("mean", [4]), name: "shift")
    let scaled = net.node(Binary(.multiply), shifted, net.constant("std", [4]), name: "scale")
    let sixth = net.graph.addConstant(Tensor(scalar: Float(1) / 6), name: "sixth")
    let product = net.node(MatMul(), scaled, net.constant("fc1.weight", [4, 3]), name: "fc1")
    let biased = net.node(Binary(.add), product, net.constant("fc1.bias", [3]), name: "bias")
    let divided = net.node(Binary(.multiply), biased, sixth, name: "sixth")
    let layered = net.node(Binary(.multiply), divided, net.constant("gamma", [3]), name: "gamma")
    let turned = net.node(
      Transpose(permutation: [1, 0]), net.constant("fc2.weight", [2, 3]), name: "turn")
    let logits = net.node(Gemm(), layered, turned, net.constant("fc2.bias", [2]), name: "fc2")
    let form = try net.finished(logits).inTrainingForm()
    #expect(
      form.parameters.map(\.name) == [
        "fc1.weight", "fc1.bias", "gamma", "fc2.weight", "fc2.bias",
      ])
    #expect(
      form.parameters.map(\.role) == [.weight, .bias, .normalizationScale, .weight, .bias])
    #expect(form.graph.constant(form.graph.value(named: "sixth")) != nil)
    #expect(form.graph.constant(form.graph.value(named: "mean")) != nil)
  }

  @Test("Options freeze statistics or weights, and set the momentum")
  func options() throws {
    let graph = Self.block(activation: Unary(.relu))
    let frozen = try graph.inTrainingForm(
      TrainingFormOptions(freezesStatistics: true, frozen: ["conv1.weight"]))
    #expect(frozen.graph.nodes.map(\.op.kind) == graph.nodes.map(\.op.kind))
    #expect(frozen.statistics.isEmpty)
    #expect(!frozen.parameters.contains { $0.name == "conv1.weight" })
    let slow = try graph.inTrainingForm(TrainingFormOptions(momentum: 0.99))
    let normalizations = slow.graph.nodes.compactMap { $0.op as? BatchStatisticsNormalization }
    #expect(normalizations.map(\.momentum) == [0.99, 0.99])
    #expect(throws: AutodiffError.self) {
      try graph.inTrainingForm(TrainingFormOptions(frozen: ["conv9.weight"]))
    }
  }

  @Test("Dropouts draw from streams of their own, which the seed moves")
  func dropout() throws {
    var net = Portable()
    let x = net.image()
    let ratio = net.graph.addConstant(Tensor(scalar: Float(0.25)), name: "ratio")
    let first = net.node(Dropout(), x, ratio, name: "drop1")
    let output = net.node(Dropout(), first, name: "drop2")
    let graph = net.finished(output)
    let form = try graph.inTrainingForm()
    let dropouts = form.graph.nodes.compactMap { $0.op as? RandomDropout }
    #expect(dropouts.map(\.ratio) == [0.25, 0.5])
    #expect(dropouts[0].stream != dropouts[1].stream)
    #expect(form.step.map { form.graph[$0].type } == TensorType(.int64, []))
    let other = try graph.inTrainingForm(TrainingFormOptions(seed: 1))
    let streams = other.graph.nodes.compactMap { ($0.op as? RandomDropout)?.stream }
    #expect(Set(streams + dropouts.map(\.stream)).count == 4)
    let still = try graph.inTrainingForm(TrainingFormOptions(appliesDropout: false))
    #expect(still.graph.nodes.allSatisfy { $0.op is Dropout } && still.step == nil)
  }

  @Test("A normalization that is used twice updates its statistics in turn")
  func sharedNormalization() throws {
    var net = Portable()
    let x = net.image()
    let operands = [
      net.constant("w", [3]), net.constant("b", [3]), net.constant("m", [3]),
      net.constant("v", [3], 0.5, 1),
    ]
    let first = net.graph.addNode(
      BatchNormalization(), name: "bn", inputs: [x] + operands, outputNames: ["y1"])[0]
    let second = net.graph.addNode(
      BatchNormalization(), name: "bn", inputs: [first] + operands, outputNames: ["y2"])[0]
    let form = try net.finished(second).inTrainingForm()
    try Verifier.verify(form.graph)
    #expect(form.statistics.map(\.name) == ["m", "v"])
    #expect(form.graph.nodes[1].inputs[3] == form.graph.nodes[0].outputs[3])
    #expect(form.graph.nodes[1].outputs[3] == form.statistics[0].output)
  }

  @Test("Constants are set only where they fit")
  func settingConstants() throws {
    let graph = Self.block(activation: Unary(.relu))
    #expect(throws: AutodiffError.self) {
      try graph.settingConstants(["nowhere": Tensor(scalar: Float(1))])
    }
    #expect(
      throws: AutodiffError.constantMismatch(
        name: "bn1.bias", found: "float32 2", expected: "float32 3")
    ) { try graph.settingConstants(["bn1.bias": Tensor([Float(1), 2], shape: [2])]) }
  }
}
