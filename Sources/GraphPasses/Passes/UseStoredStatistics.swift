// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Lets batch normalizations of a network that was saved in training mode use their stored
/// statistics, as inference does.
package struct UseStoredStatistics: GraphPass {
  package var name: String { "use-stored-statistics" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard var op = node.op as? BatchNormalization, op.trainingMode,
      let output = index.onlyOutput(of: node)
    else { return nil }
    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    op.trainingMode = false
    patch.addNode(op, name: node.name, inputs: node.inputs, outputs: [output])
    return patch
  }
}
