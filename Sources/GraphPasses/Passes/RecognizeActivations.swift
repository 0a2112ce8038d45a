// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Writes activations that exporters spell out in arithmetic as one operator each: HardSwish,
/// HardSigmoid, GELU (by erf or by tanh), SiLU and Mish.
///
/// For files only those that the graph's operator set has; for our own runtime all.
package struct RecognizeActivations: GraphPass {
  package var name: String { "recognize-activations" }

  /// Whether only operators of the graph's own operator set are used.
  package var keepsOperatorSet: Bool

  package init(keepsOperatorSet: Bool) { self.keepsOperatorSet = keepsOperatorSet }

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let op = node.op as? Binary, op.function == .multiply || op.function == .divide,
      let output = index.onlyOutput(of: node), index.isReal(output)
    else { return nil }
    let tree = ProductTree(output, in: index)
    guard let (function, input, since) = activation(tree, in: index),
      !keepsOperatorSet || index.graph.metadata.opset >= since,
      index.haveEqualDimensions(input, output)
    else { return nil }

    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    patch.addNode(Unary(function), name: node.name, inputs: [input], outputs: [output])
    return patch
  }

  private func activation(
    _ tree: ProductTree, in index: GraphIndex
  ) -> (Unary.Function, input: ValueID, since: Int)? {
    if let input = clippedShift(tree.factors, in: index), tree.hasConstant(1 / 6) {
      return (.hardSigmoid(alpha: 1 / 6, beta: 0.5), input, 6)
    }
    for (gate, other) in gates(tree) {
      if tree.hasConstant(1 / 6), clippedShift([gate], in: index) == other {
        return (.hardSwish, other, 14)
      }
      if tree.hasConstant(0.5), let approximates = gaussianGate(gate, of: other, in: index) {
        return (.gelu(tanhApproximation: approximates), other, 20)
      }
      guard tree.hasConstant(1), let (node, op) = index.producer(of: gate, as: Unary.self) else {
        continue
      }
      switch op.function {
      case .hardSigmoid(let alpha, let beta)
      where node.inputs == [other] && Double(alpha).isClose(to: 1 / 6) && beta == 0.5:
        return (.hardSwish, other, 14)
      case .sigmoid where node.inputs == [other]: return (.swish(alpha: 1), other, 24)
      case .sigmoid:
        guard let inner = node.inputs[0], index.soleConsumer(of: inner) != nil else { continue }
        let product = ProductTree(inner, in: index)
        if product.factors == [other] {
          return (.swish(alpha: Float(product.constant)), other, 24)
        }
      case .tanh:
        guard let (soft, inner) = index.producer(of: node.inputs[0], as: Unary.self),
          inner.function == .softplus, soft.inputs == [other]
        else { continue }
        return (.mish, other, 18)
      default: continue
      }
    }
    return nil
  }

  /// The two ways to see a product of two as gate and input.
  private func gates(_ tree: ProductTree) -> [(gate: ValueID, input: ValueID)] {
    guard tree.factors.count == 2 else { return [] }
    return [(tree.factors[0], tree.factors[1]), (tree.factors[1], tree.factors[0])]
  }

  /// The `x` of `clip(x + 3, 0, 6)`, if that is the only factor.
  private func clippedShift(_ factors: [ValueID], in index: GraphIndex) -> ValueID? {
    guard factors.count == 1, let (clip, _) = index.producer(of: factors[0], as: Clip.self),
      clip.inputs.count == 3, index.scalar(clip.inputs[1]) == 0, index.scalar(clip.inputs[2]) == 6,
      let (input, shift) = index.sumWithConstant(clip.inputs[0]), shift == 3
    else { return nil }
    return input
  }

  /// Whether `gate` is `1 + tanh(√(2/π) (x + 0.044715 x³))`; `false` if it is `1 + erf(x / √2)`,
  /// `nil` if neither.
  private func gaussianGate(_ gate: ValueID, of x: ValueID, in index: GraphIndex) -> Bool? {
    guard let (inner, one) = index.sumWithConstant(gate), one == 1,
      let (node, op) = index.producer(of: inner, as: Unary.self), let argument = node.inputs[0]
    else { return nil }
    let product = ProductTree(argument, in: index)
    if op.function == .erf, product.factors == [x], product.hasConstant(0.5.squareRoot()) {
      return false
    }
    guard op.function == .tanh, product.factors.count == 1,
      product.hasConstant((2 / Double.pi).squareRoot()),
      let (sum, add) = index.producer(of: product.factors[0], as: Binary.self), add.function == .add
    else { return nil }
    for (position, operand) in sum.inputs.enumerated() where operand == x {
      guard sum.inputs.count == 2, let cubic = sum.inputs[1 - position] else { return nil }
      let tree = ProductTree(cubic, in: index)
      if tree.hasConstant(0.044715), isCube(tree.factors, of: x, in: index) { return true }
    }
    return nil
  }

  private func isCube(_ factors: [ValueID], of x: ValueID, in index: GraphIndex) -> Bool {
    if factors == [x, x, x] { return true }
    guard factors.count == 1, let (power, op) = index.producer(of: factors[0], as: Binary.self)
    else {
      return false
    }
    return op.function == .power && power.inputs[0] == x && index.scalar(power.inputs[1]) == 3
  }
}

extension GraphIndex {
  /// The operand and the number of a sum with a one-element constant.
  func sumWithConstant(_ value: ValueID?) -> (operand: ValueID, constant: Double)? {
    guard let (node, op) = producer(of: value, as: Binary.self), op.function == .add,
      node.inputs.count == 2
    else { return nil }
    for (position, operand) in node.inputs.enumerated() {
      if let number = scalar(operand), let other = node.inputs[1 - position] {
        return (other, number)
      }
    }
    return nil
  }
}
