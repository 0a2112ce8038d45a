// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Writes `(x − mean) / √(variance + ε)`, with the scale and bias behind it, as
/// `LayerNormalization` where the graph's operator set has it.
package struct RecognizeLayerNormalization: GraphPass {
  package var name: String { "recognize-layer-norm" }

  /// Whether only operators of the graph's own operator set are used.
  package var keepsOperatorSet: Bool

  package init(keepsOperatorSet: Bool) { self.keepsOperatorSet = keepsOperatorSet }

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let op = node.op as? Binary, op.function == .divide,
      !keepsOperatorSet || index.graph.metadata.opset >= 17,
      let quotient = index.onlyOutput(of: node), let type = index.type(quotient),
      let deviation = node.inputs[0], let (x, axes) = centred(deviation, in: index),
      let (root, sqrt) = index.producer(of: node.inputs[1], as: Unary.self), sqrt.function == .sqrt,
      let (variance, epsilon) = index.sumWithConstant(root.inputs[0]),
      let (square, squareAxes) = mean(variance, in: index), squareAxes == axes,
      isSquare(square, of: deviation, in: index), let rank = type.rank, let first = axes.min(),
      axes == Set(first..<rank), first >= 0
    else { return nil }
    let normalized = type.dimensions?.dropFirst(first).compactMap(\.value) ?? []
    guard normalized.count == rank - first else { return nil }

    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    let scale = follower(of: quotient, .multiply, shape: normalized, in: index)
    if let scale { patch.remove(scale.node) }
    let bias = scale.flatMap { follower(of: $0.output, .add, shape: normalized, in: index) }
    if let bias { patch.remove(bias.node) }
    let ones = Tensor(
      reals: [Double](repeating: 1, count: normalized.reduce(1, *)), shape: normalized,
      elementType: type.elementType)
    let scaleValue =
      scale?.constant ?? patch.addConstant(ones, name: index.graph[quotient].name + ".scale")
    patch.addNode(
      LayerNormalization(axis: first - rank, epsilon: Float(epsilon)), name: node.name,
      inputs: [x, scaleValue] + (bias.map { [$0.constant] } ?? []),
      outputs: [bias?.output ?? scale?.output ?? quotient])
    return patch
  }

  /// The sole consumer of `value` that combines it with a constant of exactly the given shape.
  private func follower(
    of value: ValueID, _ function: Binary.Function, shape: [Int], in index: GraphIndex
  ) -> (node: Node, constant: ValueID, output: ValueID)? {
    guard let node = index.soleConsumer(of: value), let op = node.op as? Binary,
      op.function == function, node.inputs.count == 2,
      let constant = node.inputs.first(where: { $0 != value }).flatMap({ $0 }),
      index.constant(constant)?.shape == shape, let output = index.onlyOutput(of: node)
    else { return nil }
    return (node, constant, output)
  }

  /// The `x` of `x − mean(x)`, and the axes of the mean.
  private func centred(_ value: ValueID, in index: GraphIndex) -> (x: ValueID, axes: Set<Int>)? {
    guard let (node, op) = index.producer(of: value, as: Binary.self), op.function == .subtract,
      let mean = mean(node.inputs[1], in: index), mean.operand == node.inputs[0]
    else { return nil }
    return (mean.operand, mean.axes)
  }

  /// The operand of a mean that keeps its axes, and these counted from the first.
  private func mean(
    _ value: ValueID?, in index: GraphIndex
  ) -> (operand: ValueID, axes: Set<Int>)? {
    guard let (node, op) = index.producer(of: value, as: Reduce.self), op.function == .mean,
      op.keepsDimensions, node.inputs.count == 2, let operand = node.inputs[0],
      let axes = index.integers(node.inputs[1]), let rank = index.type(operand)?.rank
    else { return nil }
    return (operand, Set(axes.map { $0 < 0 ? $0 + rank : $0 }))
  }

  private func isSquare(_ value: ValueID, of base: ValueID, in index: GraphIndex) -> Bool {
    guard let (node, op) = index.producer(of: value, as: Binary.self), node.inputs.count == 2,
      node.inputs[0] == base
    else { return false }
    return op.function == .multiply
      ? node.inputs[1] == base : op.function == .power && index.scalar(node.inputs[1]) == 2
  }
}
