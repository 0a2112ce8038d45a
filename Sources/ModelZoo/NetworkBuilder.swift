// SPDX-License-Identifier: Apache-2.0
package import GraphIR
package import TensorCore

/// A graph in the making, layer by layer, as a paper's table lists them.
///
/// Layers take the current `value` and replace it by what they compute; a branch keeps the value
/// that it starts from. Names are relative to the scopes around them. After a layer that does not
/// fit its input, nothing is added any more, and `finished()` throws.
package struct NetworkBuilder {
  package let name: String
  package let input: InputShape
  package let classCount: Int
  /// The width multiplier.
  package let width: Double

  /// What the next layer works on.
  package var value: ValueID

  /// Of batch norms from here on.
  package var epsilon: Float = 1e-5
  /// Of batch norms from here on: the part of the running statistics that a batch leaves.
  package var momentum: Float = 0.9
  /// Of convolutions from here on; biases of convolutions are zero.
  package var convolutionWeights = Initialization.heNormalOutgoing
  /// Of linear layers from here on.
  package var linearWeights = Initialization.inverseRootUniform
  /// Of linear layers from here on; scaled ones have the fan of the layer.
  package var linearBiases = Initialization.constant(0)

  /// Elements of all weights, biases and batch-norm scales so far.
  package private(set) var parameterCount = 0

  private var graph: Graph
  /// `nil` for an outline, whose weights are known by their types alone.
  private var random: RandomSource?
  private var scopes: [String] = []
  private var nodeNames: Set<String> = []
  private var problem: ZooError?

  package init(
    name: String, input: InputShape, classCount: Int, width: Double, batch: Dimension,
    random: RandomSource?
  ) {
    self.name = name
    self.input = input
    self.classCount = classCount
    self.width = width
    self.random = random
    graph = Graph(name: name)
    value = graph.addInput(
      name: "input",
      type: TensorType(
        .float32,
        [batch, .fixed(input.channels), .fixed(input.height), .fixed(input.width)]))
  }

  /// Whether the network has its form for small pictures.
  package var isSmall: Bool { input.isSmall }

  /// Channels of the current value; 1 behind a layer that does not fit.
  package var channels: Int { extent(1) }

  func extent(_ axis: Int) -> Int {
    guard let dimensions = graph.type(value)?.dimensions, axis < dimensions.count else { return 1 }
    return dimensions[axis].value ?? 1
  }

  /// Adds layers whose names have a common beginning.
  package mutating func scoped(_ scope: String, _ layers: (inout NetworkBuilder) -> Void) {
    scopes.append(scope)
    layers(&self)
    scopes.removeLast()
  }

  private func path(_ name: String) -> String { (scopes + [name]).joined(separator: ".") }

  /// The graph with the current value as its output `logits`.
  ///
  /// - Throws: `ZooError.unsuitableInput` if a layer did not fit its input.
  package func finished() throws(ZooError) -> Graph {
    if let problem { throw problem }
    var result = graph
    guard let last = result.nodes.last, last.outputs == [value] else { return result }
    result.setNodes(result.nodes.dropLast())
    let logits = result.addNode(
      last.op, name: last.name, inputs: last.inputs, outputNames: ["logits"])
    for output in logits {
      result.setType(result.type(value), of: output)
      result.markOutput(output)
    }
    return result
  }
}

// What layers are made of.
extension NetworkBuilder {
  /// Adds a node and infers its types; no outputs if it does not fit or something before did not.
  mutating func results(
    _ op: any Op, _ name: String, _ inputs: [ValueID], outputCount: Int
  ) -> [ValueID] {
    guard problem == nil else { return [] }
    let operands = inputs.map { Operand(type: graph[$0].type, constant: graph[$0].constant) }
    let nodeName = unique(path(name))
    do {
      let types = try op.inferTypes(operands, outputCount: outputCount)
      let names = (0..<outputCount).map {
        outputCount == 1 ? "\(nodeName).out" : "\(nodeName).out\($0)"
      }
      let outputs = graph.addNode(op, name: nodeName, inputs: inputs, outputNames: names)
      for (output, type) in zip(outputs, types) { graph.setType(type, of: output) }
      return outputs
    } catch {
      problem = .unsuitableInput(
        architecture: self.name, input: input, node: nodeName, reason: error)
      return []
    }
  }

  private mutating func unique(_ name: String) -> String {
    var candidate = name
    var number = 1
    while !nodeNames.insert(candidate).inserted {
      candidate = "\(name)_\(number)"
      number += 1
    }
    return candidate
  }

  /// Adds a node of the current value and further inputs; its result becomes the current value.
  package mutating func node(_ op: any Op, _ name: String, with others: [ValueID] = []) {
    let outputs = results(op, name, [value] + others, outputCount: 1)
    if let output = outputs.first { value = output }
  }

  /// A weight or bias, in a name such as `conv1.weight`.
  private mutating func parameter(
    _ name: String, _ shape: [Int], _ initialization: Initialization, layer: [Int]? = nil,
    groups: Int = 1
  ) -> ValueID {
    parameterCount += shape.reduce(1, *)
    return stored(name, shape, initialization, layer: layer, groups: groups)
  }

  private mutating func stored(
    _ name: String, _ shape: [Int], _ initialization: Initialization, layer: [Int]? = nil,
    groups: Int = 1
  ) -> ValueID {
    guard random != nil, problem == nil else {
      return graph.addValue(name: path(name), type: TensorType(.float32, shape: shape))
    }
    var source = random ?? RandomSource(seed: 0)
    let tensor = initialization.drawn(
      shape: shape, layer: layer ?? shape, groups: groups, from: &source)
    random = source
    return graph.addConstant(tensor, name: path(name))
  }

  /// A constant that is no parameter; one for all uses of the same name.
  mutating func fixed(_ tensor: Tensor, _ name: String) -> ValueID {
    graph.value(named: name) ?? graph.addConstant(tensor, name: name)
  }

  mutating func integers(_ values: [Int], _ name: String) -> ValueID {
    graph.addConstant(Tensor(values.map { Int64($0) }, shape: [values.count]), name: path(name))
  }
}

// Layers with parameters.
extension NetworkBuilder {
  /// A convolution with a square window, padded by half of it unless told otherwise.
  package mutating func convolution(
    _ name: String, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Int? = nil,
    groups: Int = 1, hasBias: Bool = false
  ) {
    let shape = [outputs, channels / groups, kernel, kernel]
    var others = [parameter("\(name).weight", shape, convolutionWeights, groups: groups)]
    if hasBias { others.append(parameter("\(name).bias", [outputs], .constant(0))) }
    let pad = padding ?? kernel / 2
    let op = Conv(
      strides: [stride, stride], dilations: [1, 1], padding: .explicit([pad, pad, pad, pad]),
      group: groups)
    node(op, name, with: others)
  }

  /// A convolution with one filter per channel.
  package mutating func depthwise(_ name: String, kernel: Int, stride: Int = 1) {
    convolution(name, channels, kernel: kernel, stride: stride, groups: channels)
  }

  /// The negative L1 distances to square filters, which start normal with deviation 1.
  package mutating func adderConvolution(
    _ name: String, _ outputs: Int, kernel: Int, stride: Int = 1
  ) {
    let filters = parameter(
      "\(name).adder", [outputs, channels, kernel, kernel], .normal(deviation: 1))
    let pad = kernel / 2
    let op = AdderConv(strides: [stride, stride], padding: .explicit([pad, pad, pad, pad]))
    node(op, name, with: [filters])
  }

  package mutating func batchNormalization(_ name: String) {
    let count = [channels]
    let others = [
      parameter("\(name).weight", count, .constant(1)),
      parameter("\(name).bias", count, .constant(0)),
      stored("\(name).running_mean", count, .constant(0)),
      stored("\(name).running_var", count, .constant(1)),
    ]
    node(BatchNormalization(epsilon: epsilon, momentum: momentum), name, with: others)
  }

  package mutating func linear(_ name: String, _ outputs: Int) {
    let inputs = channels
    let weight = parameter("\(name).weight", [outputs, inputs], linearWeights)
    let bias = parameter("\(name).bias", [outputs], linearBiases, layer: [outputs, inputs])
    node(Gemm(transposesB: true), name, with: [weight, bias])
  }
}

/// What stands between the products of a network.
package enum Activation: Sendable {
  case relu, relu6, sigmoid, hardSigmoid, hardSwish
}

// Layers without parameters.
extension NetworkBuilder {
  /// An activation; its node has the function's name.
  package mutating func activation(_ activation: Activation) {
    switch activation {
    case .relu: node(Unary(.relu), "relu")
    case .relu6:
      let bounds = [
        fixed(Tensor(scalar: Float(0)), "relu6.min"), fixed(Tensor(scalar: Float(6)), "relu6.max"),
      ]
      node(Clip(), "relu6", with: bounds)
    case .sigmoid: node(Unary(.sigmoid), "sigmoid")
    case .hardSigmoid: node(Unary(.hardSigmoid(alpha: 1.0 / 6, beta: 0.5)), "hardsigmoid")
    case .hardSwish: node(Unary(.hardSwish), "hardswish")
    }
  }

  package mutating func maximumPool(
    _ name: String, kernel: Int, stride: Int, padding: Int = 0, ceilMode: Bool = false
  ) {
    node(MaxPool(window: window(kernel, stride, padding, ceilMode)), name)
  }

  /// The mean of each window; padding counts as zeros.
  package mutating func averagePool(_ name: String, kernel: Int, stride: Int, padding: Int = 0) {
    let window = window(kernel, stride, padding, false)
    node(AveragePool(window: window, countsPadding: padding > 0), name)
  }

  private func window(_ kernel: Int, _ stride: Int, _ pad: Int, _ ceil: Bool) -> PoolingWindow {
    PoolingWindow(
      kernel: [kernel, kernel], strides: [stride, stride],
      padding: .explicit([pad, pad, pad, pad]), ceilMode: ceil)
  }

  /// Pools over the whole picture and drops its axes, unless told otherwise: `[N, C, H, W]` to
  /// `[N, C]`.
  package mutating func globalAverage(keepsAxes: Bool = false) {
    node(GlobalPool(.average), "avgpool")
    if !keepsAxes { flatten() }
  }

  package mutating func flatten() { node(Flatten(axis: 1), "flatten") }

  /// Adds another value of the same shape, such as a shortcut.
  package mutating func add(_ other: ValueID) { node(Binary(.add), "add", with: [other]) }

  /// Scales each channel by a gate that two 1×1 convolutions compute from the channels' means.
  ///
  /// Source: Hu, Shen, Sun, "Squeeze-and-Excitation Networks", 2018, Eq. 2 to 4.
  package mutating func squeezeExcitation(_ squeezed: Int, gate: Activation) {
    let features = value
    let count = channels
    node(GlobalPool(.average), "avgpool")
    convolution("fc1", squeezed, kernel: 1, hasBias: true)
    activation(.relu)
    convolution("fc2", count, kernel: 1, hasBias: true)
    activation(gate)
    let factors = value
    value = features
    node(Binary(.multiply), "mul", with: [factors])
  }

  /// Joins values along the channels; the first is the current value.
  package mutating func concatenate(_ others: [ValueID]) {
    node(Concat(axis: 1), "concat", with: others)
  }
}
