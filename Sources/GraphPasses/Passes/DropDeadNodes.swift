// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Removes nodes whose results nothing uses, together with what only they used.
package struct DropDeadNodes: GraphPass {
  package var name: String { "drop-dead-nodes" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard !node.outputs.compactMap({ $0 }).contains(where: index.isUsed) else { return nil }

    var patch = GraphPatch(of: index.graph)
    var removed: Set<NodeID> = [node.id]
    var waiting = [node]
    while let dead = waiting.popLast() {
      patch.remove(dead)
      for input in dead.inputs {
        guard let source = index.producer(of: input), !removed.contains(source.id) else {
          continue
        }
        let isNeeded = source.outputs.compactMap { $0 }.contains { output in
          index.isOutput(output) || index.isUsed(output, besides: removed)
        }
        if isNeeded { continue }
        removed.insert(source.id)
        waiting.append(source)
      }
    }
    return patch
  }
}
