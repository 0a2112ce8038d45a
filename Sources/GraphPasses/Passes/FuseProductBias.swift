// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Makes the addition of a constant vector to the rows that a matrix product computes the first
/// stage of that step: ONNX's `MatMul` has no bias.
package struct FuseProductBias: GraphPass {
  package var name: String { "fuse-product-bias" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let op = node.op as? Binary, op.function == .add, node.inputs.count == 2,
      let output = index.onlyOutput(of: node), index.isReal(output),
      index.type(output)?.elementType != .float64
    else { return nil }
    for (product, vector) in [(node.inputs[0], node.inputs[1]), (node.inputs[1], node.inputs[0])] {
      guard let product, let bias = index.constant(vector), bias.rank > 0,
        bias.shape.last == bias.count, index.soleConsumer(of: product) != nil,
        var step = FusedNode(index.producer(of: product), in: index), step.root.takesVectorStage,
        step.step.stages.isEmpty, step.isOpen,
        index.type(product)?.dimensions?.last == .fixed(bias.count),
        index.haveEqualDimensions(product, output)
      else { continue }
      var patch = GraphPatch(of: index.graph)
      let row =
        bias.rank == 1
        ? vector
        : patch.addConstant(
          Tensor(reals: bias.reals(), shape: [bias.count], elementType: bias.elementType),
          name: index.graph[product].name + ".bias")
      step.step.stages.append(.add(nil))
      step.rewrite(in: &patch, inputs: step.node.inputs + [row], output: output)
      patch.remove(node)
      return patch
    }
    return nil
  }
}
