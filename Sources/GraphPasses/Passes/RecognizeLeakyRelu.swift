// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Writes a `PRelu` with one constant slope as `LeakyRelu`.
package struct RecognizeLeakyRelu: GraphPass {
  package var name: String { "recognize-leaky-relu" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let op = node.op as? Binary, op.function == .prelu, node.inputs.count == 2,
      let slope = index.scalar(node.inputs[1]), let output = index.onlyOutput(of: node),
      index.isReal(output), index.haveEqualDimensions(node.inputs[0], output)
    else { return nil }
    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    patch.addNode(
      Unary(.leakyRelu(alpha: Float(slope))), name: node.name, inputs: [node.inputs[0]],
      outputs: [output])
    return patch
  }
}
