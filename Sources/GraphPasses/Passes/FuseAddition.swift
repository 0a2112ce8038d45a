// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Makes the addition of another tensor of the same shape a stage of the convolution or matrix
/// product that computes one operand, where nothing else uses that operand.
///
/// If both operands qualify, the later one takes the other: it is computed by then.
package struct FuseAddition: GraphPass {
  package var name: String { "fuse-addition" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let output = index.onlyOutput(of: node),
      let (operand, other) = AdditionOperands(node, in: index)?.chosen, operand.pair == nil
    else { return nil }

    var patch = GraphPatch(of: index.graph)
    var step = operand.step
    step.step.stages.append(.add(nil))
    step.rewrite(in: &patch, inputs: step.node.inputs + [other], output: output)
    patch.remove(node)
    return patch
  }
}

/// The operands of an addition of two tensors of one shape that a fused step could take in.
struct AdditionOperands {
  /// An operand that a step computes, perhaps quantized and dequantized on the way.
  struct Operand {
    let step: FusedNode
    let pair: QuantizationPair?
    let position: Int
  }

  /// The operand whose step is latest in the graph, and the value that it would add.
  let chosen: (operand: Operand, other: ValueID)

  init?(_ node: Node, in index: GraphIndex) {
    guard let op = node.op as? Binary, op.function == .add, node.inputs.count == 2,
      let left = node.inputs[0], let right = node.inputs[1], left != right,
      index.haveEqualDimensions(left, right), index.type(left)?.shape != nil
    else { return nil }
    let candidates = [(left, right), (right, left)].compactMap { value, other in
      AdditionOperands.operand(value, in: index).map { (operand: $0, other: other) }
    }
    guard let best = candidates.max(by: { $0.operand.position < $1.operand.position }) else {
      return nil
    }
    chosen = best
  }

  private static func operand(_ value: ValueID, in index: GraphIndex) -> Operand? {
    guard index.soleConsumer(of: value) != nil else { return nil }
    let pair = QuantizationPair(endingAt: value, in: index)
    let computed = pair?.input ?? value
    guard index.soleConsumer(of: computed) != nil,
      let step = FusedNode(index.producer(of: computed), in: index), step.takesAddition,
      !step.addsTensor(in: index), let position = index.position(ofProducerOf: computed)
    else { return nil }
    return Operand(step: step, pair: pair, position: position)
  }
}

/// A `QuantizeLinear` and the `DequantizeLinear` that alone uses it, with the same code.
struct QuantizationPair {
  let quantize: Node
  let dequantize: Node
  let input: ValueID
  let output: ValueID
  let code: LinearCode

  /// The pair whose result is `value`, if nothing else uses what it computes on the way.
  init?(endingAt value: ValueID, in index: GraphIndex) {
    guard let dequantize = index.producer(of: value),
      let code = LinearCode(dequantizing: dequantize, in: index), code.scales.count == 1,
      let codes = dequantize.inputs[0], index.soleConsumer(of: codes) != nil,
      let quantize = index.producer(of: codes),
      LinearCode(quantizing: quantize, in: index) == code, let input = quantize.inputs[0]
    else { return nil }
    self.quantize = quantize
    self.dequantize = dequantize
    self.input = input
    output = value
    self.code = code
  }
}
