// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Writes `Softmax(scale · Q·K + mask)·V`, in the spellings of exporters, as one node: scales
/// before or behind the product, as factors or divisors, masks that are added or chosen by
/// `Where`, and zeros in place of the NaN of rows that a mask closes.
///
/// For static shapes of single precision; the result has no form in ONNX.
package struct RecognizeAttention: GraphPass {
  package var name: String { "recognize-attention" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard node.op is MatMul, let output = index.onlyOutput(of: node), let value = node.inputs[1],
      let weights = weights(node.inputs[0], in: index), let shape = extents(weights.scores, index),
      let scores = scores(weights.scores, shape: shape, in: index),
      let query = extents(scores.query.value, index), let key = extents(scores.key.value, index),
      let values = extents(value, index), shape.count >= 3, query.count == shape.count,
      key.count == shape.count, values.count == shape.count,
      query.dropLast(2) == shape.dropLast(2), key.dropLast(2) == shape.dropLast(2),
      values.dropLast(2) == shape.dropLast(2),
      closesRows(weights.closing, mask: scores.mask, in: index)
    else { return nil }

    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    for inner in weights.nodes + scores.nodes { patch.remove(inner) }
    let mask: ValueID? =
      switch scores.mask {
      case nil: nil
      case .added(let value): value
      case .chosen(let tensor):
        patch.addConstant(tensor, name: index.graph[weights.scores].name + ".mask")
      }
    patch.addNode(
      DotProductAttention(
        scale: Float(scores.scale * scores.query.scale * scores.key.scale),
        closedRowsAreZero: weights.closing != .none),
      name: node.name, inputs: [scores.query.value, scores.key.value, value, mask],
      outputs: [output])
    return patch
  }

  /// What becomes of rows whose scores are all −∞.
  private enum Closing: Equatable {
    case none
    /// Weights that are no numbers become 0.
    case undefined
    /// Weights become 0 where the greatest element of this value's row is −∞.
    case bound(ValueID)
  }

  private enum Mask {
    case added(ValueID)
    case chosen(Tensor)
  }

  /// The scores that weights are made of by a softmax along the last axis.
  private func weights(
    _ value: ValueID?, in index: GraphIndex
  ) -> (scores: ValueID, closing: Closing, nodes: [Node])? {
    guard let value, index.soleConsumer(of: value) != nil, let node = index.producer(of: value)
    else { return nil }
    if let scores = softmax(node, in: index) { return (scores, .none, [node]) }
    guard node.op is Where, node.inputs.count == 3, index.scalar(node.inputs[1]) == 0,
      let weights = node.inputs[2], let inner = index.producer(of: weights),
      let scores = softmax(inner, in: index), let condition = index.producer(of: node.inputs[0])
    else { return nil }
    if let test = condition.op as? Unary, test.function == .isNaN, condition.inputs == [weights],
      index.consumerCount(of: weights) == 2, !index.isOutput(weights),
      let closed = node.inputs[0], index.soleConsumer(of: closed) != nil
    {
      return (scores, .undefined, [node, condition, inner])
    }
    guard index.soleConsumer(of: weights) != nil, let test = condition.op as? Binary,
      test.function == .equal, index.scalar(condition.inputs[1]) == -.infinity,
      let (greatest, op) = index.producer(of: condition.inputs[0], as: Reduce.self),
      op.function == .maximum, op.keepsDimensions, greatest.inputs.count == 2,
      let bound = greatest.inputs[0], let rank = index.type(bound)?.rank,
      let axes = index.integers(greatest.inputs[1]), axes == [-1] || axes == [rank - 1]
    else { return nil }
    return (scores, .bound(bound), [node, inner])
  }

  private func softmax(_ node: Node, in index: GraphIndex) -> ValueID? {
    guard let op = node.op as? Softmax, !op.isLogarithm, let input = node.inputs[0],
      let rank = extents(input, index)?.count, op.axis == -1 || op.axis == rank - 1,
      index.soleConsumer(of: input) != nil || closesItself(input, node, in: index)
    else { return nil }
    return input
  }

  /// Whether all users of scores are the softmax and the greatest element of their rows.
  private func closesItself(_ scores: ValueID, _ node: Node, in index: GraphIndex) -> Bool {
    !index.isOutput(scores)
      && index.consumers(of: scores).allSatisfy { $0.id == node.id || $0.op is Reduce }
  }

  /// Whether closed rows are known by the mask or by the scores themselves.
  private func closesRows(_ closing: Closing, mask: Mask?, in index: GraphIndex) -> Bool {
    guard case .bound(let bound) = closing else { return true }
    if case .added(let value) = mask { return value == bound }
    return false
  }

  private typealias Scaled = (value: ValueID, scale: Double)

  /// The parts of `scale · Q·K + mask`.
  private func scores(
    _ value: ValueID, shape: [Int], in index: GraphIndex
  ) -> (query: Scaled, key: Scaled, scale: Double, mask: Mask?, nodes: [Node])? {
    if let product = product(value, in: index) {
      return (product.query, product.key, product.scale, nil, product.nodes)
    }
    guard let node = index.producer(of: value) else { return nil }
    if let op = node.op as? Binary, op.function == .add, node.inputs.count == 2 {
      for (sum, mask) in [(node.inputs[0], node.inputs[1]), (node.inputs[1], node.inputs[0])] {
        guard let sum, let mask, index.soleConsumer(of: sum) != nil,
          let given = extents(mask, index), given.last == shape.last,
          given.count <= shape.count, extents(sum, index) == shape,
          let product = product(sum, in: index)
        else { continue }
        return (
          product.query, product.key, product.scale, .added(mask), product.nodes + [node]
        )
      }
    }
    guard node.op is Where, node.inputs.count == 3, let open = index.constant(node.inputs[0]),
      open.shape.last == shape.last, open.rank <= shape.count,
      let bound = index.scalar(node.inputs[2]), bound <= -1e10, let sum = node.inputs[1],
      index.soleConsumer(of: sum) != nil, extents(sum, index) == shape,
      let product = product(sum, in: index)
    else { return nil }
    let mask = Tensor(open.integers().map { $0 != 0 ? 0 : Float(bound) }, shape: open.shape)
    return (product.query, product.key, product.scale, .chosen(mask), product.nodes + [node])
  }

  /// A matrix product, perhaps behind factors, that nothing else uses.
  private func product(
    _ value: ValueID, in index: GraphIndex
  ) -> (query: Scaled, key: Scaled, scale: Double, nodes: [Node])? {
    var value = value
    var scale = 1.0
    var nodes: [Node] = []
    while let factor = factor(value, in: index) {
      scale *= factor.scale
      nodes.append(factor.node)
      guard index.soleConsumer(of: factor.value) != nil else { return nil }
      value = factor.value
    }
    guard let (node, _) = index.producer(of: value, as: MatMul.self), let query = node.inputs[0],
      let key = node.inputs[1], index.onlyOutput(of: node) != nil
    else { return nil }
    return (unscaled(query, in: index), unscaled(key, in: index), scale, nodes + [node])
  }

  private func unscaled(_ value: ValueID, in index: GraphIndex) -> Scaled {
    guard let factor = factor(value, in: index) else { return (value, 1) }
    return (factor.value, factor.scale)
  }

  /// The operand and the factor of a multiplication by, or division by, one number.
  private func factor(
    _ value: ValueID, in index: GraphIndex
  ) -> (value: ValueID, scale: Double, node: Node)? {
    guard let (node, op) = index.producer(of: value, as: Binary.self), node.inputs.count == 2,
      let left = node.inputs[0], let right = node.inputs[1]
    else { return nil }
    switch op.function {
    case .multiply:
      if let number = index.scalar(right), index.haveEqualDimensions(left, value) {
        return (left, number, node)
      }
      if let number = index.scalar(left), index.haveEqualDimensions(right, value) {
        return (right, number, node)
      }
    case .divide:
      if let number = index.scalar(right), number != 0, index.haveEqualDimensions(left, value) {
        return (left, 1 / number, node)
      }
    default: break
    }
    return nil
  }

  private func extents(_ value: ValueID, _ index: GraphIndex) -> [Int]? {
    guard let type = index.type(value), type.elementType == .float32 else { return nil }
    return type.shape
  }
}
