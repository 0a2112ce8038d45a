// SPDX-License-Identifier: Apache-2.0
import GraphIR

/// What stands behind a batch normalization and is computed with it.
struct NormalizationTail {
  private(set) var addend: ValueID?
  private(set) var activation = TrainingActivation.none

  /// The nodes that are taken in, in order; the last one computes the result.
  private(set) var nodes: [Node] = []

  init(of normalization: Node, in index: GraphIndex, avoiding taken: Set<NodeID>) {
    guard let result = normalization.outputs.first.flatMap({ $0 }) else { return }
    var next = index.soleConsumer(of: result)
    if let node = next, !taken.contains(node.id),
      let other = NormalizationTail.addend(of: node, to: result, in: index)
    {
      addend = other
      nodes.append(node)
      next = node.outputs.first.flatMap { $0 }.flatMap { index.soleConsumer(of: $0) }
    }
    if let node = next, !taken.contains(node.id),
      let found = NormalizationTail.activation(of: node, in: index),
      addend == nil || found != .hardSwish
    {
      activation = found
      nodes.append(node)
    }
  }

  /// The other operand of an addition, where it has the shape of `value`.
  private static func addend(
    of node: Node, to value: ValueID, in index: GraphIndex
  ) -> ValueID? {
    let isSum = node.op.isEqual(to: Binary(.add)) || node.op.isEqual(to: Variadic(.sum))
    guard isSum, node.inputs.count == 2, let first = node.inputs[0], let second = node.inputs[1]
    else { return nil }
    let other = first == value ? second : first
    guard index.constant(other) == nil, let type = index.type(value), type == index.type(other),
      let dimensions = type.dimensions, !dimensions.contains(.unknown)
    else { return nil }
    return other
  }

  private static func activation(of node: Node, in index: GraphIndex) -> TrainingActivation? {
    if node.op.isEqual(to: Unary(.relu)) { return .relu }
    if node.op.isEqual(to: Unary(.hardSwish)) { return .hardSwish }
    guard node.op is Clip else { return nil }
    let bounds = (1...2).map { place in
      place < node.inputs.count ? index.storedConstant(node.inputs[place])?.reals().first : nil
    }
    guard node.inputs.count < 2 || node.inputs[1] == nil || bounds[0] != nil, bounds[0] == 0 else {
      return nil
    }
    if bounds[1] == 6 { return .relu6 }
    return node.inputs.count < 3 || node.inputs[2] == nil ? .relu : nil
  }
}
