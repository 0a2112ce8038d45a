// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Removes a quantization of what was just dequantized with the same scale and zero point: it
/// gives the same codes again.
package struct CancelRequantization: GraphPass {
  package var name: String { "cancel-requantization" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let code = LinearCode(quantizing: node, in: index), code.isByteWithOneScale,
      let source = index.producer(of: node.inputs[0]),
      LinearCode(dequantizing: source, in: index) == code,
      let codes = source.inputs[0], let output = index.onlyOutput(of: node),
      index.canReplace(output, with: codes)
    else { return nil }

    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    patch.replace(output, with: codes)
    return patch
  }
}
