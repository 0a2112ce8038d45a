// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Reshapes the input of a `MatMul` with a constant matrix rather than its result, where the
/// result is reshaped to a matrix of the same rows: biases and batch norms can be folded then.
package struct FlattenProduct: GraphPass {
  package var name: String { "flatten-product" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard node.op is Reshape || node.op is Flatten, let output = index.onlyOutput(of: node),
      let product = node.inputs[0], index.soleConsumer(of: product) != nil,
      let (source, _) = index.producer(of: product, as: MatMul.self), let input = source.inputs[0],
      let weight = index.constant(source.inputs[1]), weight.rank == 2,
      let rank = index.type(input)?.rank, rank > 2,
      let dimensions = index.type(output)?.dimensions, dimensions.count == 2,
      dimensions[1] == .fixed(weight.shape[1])
    else { return nil }
    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    patch.remove(source)
    let target = patch.addConstant(
      Tensor([Int64(-1), Int64(weight.shape[0])], shape: [2]),
      name: index.graph[product].name + ".shape")
    let matrix = patch.addValue(name: index.graph[product].name + ".rows", type: nil)
    patch.addNode(Reshape(), name: node.name, inputs: [input, target], outputs: [matrix])
    patch.addNode(
      source.op, name: source.name, inputs: [matrix, source.inputs[1]], outputs: [output])
    return patch
  }
}
