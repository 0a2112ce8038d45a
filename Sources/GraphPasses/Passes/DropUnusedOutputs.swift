// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Drops second results that nothing uses, such as the indices of a `MaxPool`, where the operator
/// computes them only if asked.
package struct DropUnusedOutputs: GraphPass {
  package var name: String { "drop-unused-outputs" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard node.op is any OptionalOutputs, node.outputs.count > 1,
      let output = index.onlyOutput(of: node)
    else { return nil }
    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    patch.addNode(node.op, name: node.name, inputs: node.inputs, outputs: [output])
    return patch
  }
}

/// An op whose outputs behind the first may be left out.
protocol OptionalOutputs: Op {}

extension MaxPool: OptionalOutputs {}
extension Dropout: OptionalOutputs {}
extension LayerNormalization: OptionalOutputs {}
