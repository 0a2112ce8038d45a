// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Leaves out quantization between an operator and the addition or activation that will be fused
/// with it: the intermediate result stays in higher precision.
///
/// What remains of the pair is a clamp to the range of its codes, since a quantizer may have left
/// out a ReLU that this range implies.
package struct SkipInnerQuantization: GraphPass {
  package var name: String { "skip-inner-quantization" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    if let operand = AdditionOperands(node, in: index)?.chosen.operand {
      return patch(inside: operand, in: index)
    }
    guard let pair = pair(before: node, in: index), let range = pair.code.realRange else {
      return nil
    }
    var patch = GraphPatch(of: index.graph)
    patch.remove(pair.quantize)
    patch.remove(pair.dequantize)
    let name = index.graph[pair.output].name
    let bounds = [range.lowerBound, range.upperBound].map {
      patch.addConstant(Tensor(scalar: $0), name: name + ".bound")
    }
    patch.addNode(
      Clip(), name: pair.quantize.name, inputs: [pair.input, bounds[0], bounds[1]],
      outputs: [pair.output])
    return patch
  }

  /// The pair on the edge between a step and the addition that it will take in; the other
  /// operand of the addition keeps its codes.
  private func patch(
    inside operand: AdditionOperands.Operand, in index: GraphIndex
  ) -> GraphPatch? {
    guard let pair = operand.pair, let range = pair.code.realRange else { return nil }
    var patch = GraphPatch(of: index.graph)
    patch.remove(pair.quantize)
    patch.remove(pair.dequantize)
    var step = operand.step
    step.step.stages.append(.clip(lower: range.lowerBound, upper: range.upperBound))
    step.rewrite(in: &patch, output: pair.output)
    return patch
  }

  private func pair(before node: Node, in index: GraphIndex) -> QuantizationPair? {
    let isActivation = (node.op as? Unary)?.function.isActivationStage ?? (node.op is Clip)
    guard isActivation, let value = node.inputs[0], index.soleConsumer(of: value) != nil,
      let pair = QuantizationPair(endingAt: value, in: index),
      index.soleConsumer(of: pair.input) != nil,
      let step = FusedNode(index.producer(of: pair.input), in: index), step.takesActivation
    else { return nil }
    return pair
  }
}
