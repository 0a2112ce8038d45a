// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Removes nodes that hand their input on unchanged: `Identity`, `Dropout` in inference, and
/// reshapes, casts, pads, slices and others that happen to change nothing.
package struct DropIdentities: GraphPass {
  package var name: String { "drop-identities" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let op = node.op as? any PassThrough, let input = node.inputs.first.flatMap({ $0 }),
      let output = index.onlyOutput(of: node), op.passesThrough(node, in: index),
      index.canReplace(output, with: input)
    else { return nil }

    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    patch.replace(output, with: input)
    return patch
  }
}
