// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// A node of a `ChannelLinear` op whose weight, and bias if it has one, are real constants.
struct ChannelLinearNode {
  let node: Node
  let op: any ChannelLinear
  let input: ValueID
  let output: ValueID
  let weight: Tensor
  let outputLayout: ChannelLayout

  /// Per output channel; zeros where the node has none.
  let bias: [Double]
  private let weightValue: ValueID
  private let biasValue: ValueID?

  init?(_ node: Node?, in index: GraphIndex) {
    guard let node, let op = node.op as? any ChannelLinear, (2...3).contains(node.inputs.count),
      let input = node.inputs[0], let weightValue = node.inputs[1],
      let weight = index.constant(weightValue), weight.elementType.isFloatingPoint,
      let output = index.onlyOutput(of: node),
      let layout = op.outputLayout(weight: weight.shape), layout.count == weight.count,
      op.takesBias(rank: index.type(output)?.rank ?? 0)
    else { return nil }
    var bias = [Double](repeating: 0, count: layout.channels)
    let biasValue = node.inputs.count > 2 ? node.inputs[2] : nil
    if let biasValue {
      guard let constant = index.constant(biasValue), constant.elementType.isFloatingPoint,
        let vector = ChannelAffine.vector(
          constant, channels: layout.channels, axis: constant.rank - 1, rank: constant.rank)
      else { return nil }
      bias = vector.map { $0 * op.biasFactor }
    }
    self.node = node
    self.op = op
    self.input = input
    self.output = output
    self.weight = weight
    self.weightValue = weightValue
    self.biasValue = biasValue
    self.bias = bias
    outputLayout = layout
  }

  /// Adds the node that computes `output` with another weight and bias, and removes this one.
  ///
  /// - Parameters:
  ///   - input: What the node reads; `nil` for what it reads at present.
  ///   - weight: `nil` to keep the present one; `bias` likewise.
  func rewrite(
    in patch: inout GraphPatch, index: GraphIndex, input: ValueID? = nil, weight: Tensor?,
    bias: [Double]?, output: ValueID
  ) {
    patch.remove(node)
    let weightValue =
      weight.map { patch.rewriteConstant(self.weightValue, to: $0, in: index) } ?? self.weightValue
    guard let bias else {
      patch.addNode(
        op, name: node.name,
        inputs: [input ?? self.input, weightValue] + node.inputs.dropFirst(2), outputs: [output])
      return
    }
    let tensor = Tensor(reals: bias, shape: [bias.count], elementType: self.weight.elementType)
    let biasValue =
      self.biasValue.map { patch.rewriteConstant($0, to: tensor, in: index) }
      ?? patch.addConstant(tensor, name: biasName(index.graph))
    patch.addNode(
      op.withPlainBias, name: node.name, inputs: [input ?? self.input, weightValue, biasValue],
      outputs: [output])
  }

  private func biasName(_ graph: Graph) -> String {
    let weightName = graph[weightValue].name
    if weightName.hasSuffix("weight") { return weightName.dropLast(6) + "bias" }
    return weightName + ".bias"
  }
}

/// One factor and one offset per channel: `y = x · factor + offset`.
struct ChannelAffine {
  var factors: [Double]
  var offsets: [Double]

  /// What a batch normalization in inference does to each channel.
  ///
  /// Source: Ioffe, Szegedy, "Batch Normalization", 2015, Algorithm 2, line 11.
  init?(batchNormalization node: Node, in index: GraphIndex) {
    guard let op = node.op as? BatchNormalization, !op.trainingMode, node.inputs.count == 5 else {
      return nil
    }
    let parameters = node.inputs.dropFirst().compactMap { index.constant($0)?.reals() }
    guard parameters.count == 4, Set(parameters.map(\.count)).count == 1 else { return nil }
    factors = zip(parameters[0], parameters[3]).map { $0 / ($1 + Double(op.epsilon)).squareRoot() }
    offsets = zip(zip(parameters[1], parameters[2]), factors).map { $0.0 - $0.1 * $1 }
    guard (factors + offsets).allSatisfy(\.isFinite) else { return nil }
  }

  /// What adding, subtracting, multiplying or dividing by a constant does to each channel of
  /// `value`, along axis 1.
  init?(_ node: Node, of value: ValueID, channels: Int, in index: GraphIndex) {
    guard let op = node.op as? Binary, node.inputs.count == 2,
      let position = node.inputs.firstIndex(of: value),
      let constant = index.constant(node.inputs[1 - position]),
      constant.elementType.isFloatingPoint, let rank = index.type(value)?.rank, rank >= 2,
      let vector = ChannelAffine.vector(constant, channels: channels, axis: 1, rank: rank)
    else { return nil }
    let ones = [Double](repeating: 1, count: channels)
    let zeros = [Double](repeating: 0, count: channels)
    switch op.function {
    case .add: (factors, offsets) = (ones, vector)
    case .subtract where position == 0: (factors, offsets) = (ones, vector.map { -$0 })
    case .subtract: (factors, offsets) = (ones.map { -$0 }, vector)
    case .multiply: (factors, offsets) = (vector, zeros)
    case .divide where position == 0: (factors, offsets) = (vector.map { 1 / $0 }, zeros)
    default: return nil
    }
    guard (factors + offsets).allSatisfy(\.isFinite) else { return nil }
  }

  /// A constant as one number per channel of a tensor of the given rank; `nil` if it varies along
  /// another axis than `axis`.
  static func vector(_ constant: Tensor, channels: Int, axis: Int, rank: Int) -> [Double]? {
    guard constant.rank <= rank else { return nil }
    if constant.count == 1 { return [Double](repeating: constant.reals()[0], count: channels) }
    let position = axis - rank + constant.rank
    guard position >= 0, constant.count == channels, constant.shape[position] == channels else {
      return nil
    }
    return constant.reals()
  }
}

extension GraphPatch {
  /// The patch that lets `linear` compute what `follower`, its sole consumer, makes of its result.
  init(
    folding affine: ChannelAffine, of follower: Node, into linear: ChannelLinearNode,
    output: ValueID, in index: GraphIndex
  ) {
    self.init(of: index.graph)
    remove(follower)
    let isUnscaled = affine.factors.allSatisfy { $0 == 1 }
    linear.rewrite(
      in: &self, index: index,
      weight: isUnscaled ? nil : linear.outputLayout.scaled(linear.weight, by: affine.factors),
      bias: zip(zip(linear.bias, affine.factors), affine.offsets).map { $0.0 * $0.1 + $1 },
      output: output)
  }
}
