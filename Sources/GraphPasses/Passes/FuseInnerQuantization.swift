// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Makes the quantization between an operator and the addition or activation that will be fused
/// with it a stage of the step: it rounds to the codes and back without going through memory.
package struct FuseInnerQuantization: GraphPass {
  package var name: String { "fuse-inner-quantization" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let (edge, pair) = edge(into: node, in: index) else { return nil }
    var patch = GraphPatch(of: index.graph)
    var step = edge
    patch.remove(pair.quantize)
    patch.remove(pair.dequantize)
    step.append(.recode(pair.code))
    step.rewrite(in: &patch, output: pair.output)
    return patch
  }

  /// The step that will take `node` in, and the pair between them.
  ///
  /// The other operand of an addition keeps its codes.
  private func edge(
    into node: Node, in index: GraphIndex
  ) -> (step: FusedNode, pair: QuantizationPair)? {
    if let operand = AdditionOperands(node, in: index)?.chosen.operand {
      return operand.pair.map { (operand.step, $0) }
    }
    let isActivation = (node.op as? Unary)?.function.isActivationStage ?? (node.op is Clip)
    guard isActivation, let value = node.inputs[0], index.soleConsumer(of: value) != nil,
      let pair = QuantizationPair(endingAt: value, in: index),
      index.soleConsumer(of: pair.input) != nil,
      let step = FusedNode(index.producer(of: pair.input), in: index), step.takesActivation
    else { return nil }
    return (step, pair)
  }
}
