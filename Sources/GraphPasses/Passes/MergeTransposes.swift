// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Lets the second of two consecutive transposes read the first one's input.
package struct MergeTransposes: GraphPass {
  package var name: String { "merge-transposes" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let second = node.op as? Transpose, let output = index.onlyOutput(of: node),
      let middle = node.inputs.first.flatMap({ $0 }),
      let (source, first) = index.producer(of: middle, as: Transpose.self),
      let input = source.inputs.first.flatMap({ $0 }),
      let rank = first.permutation?.count ?? second.permutation?.count ?? index.type(input)?.rank
    else { return nil }
    let reversed = Array((0..<rank).reversed())
    let inner = first.permutation ?? reversed
    let outer = second.permutation ?? reversed
    guard inner.count == rank, outer.count == rank, outer.allSatisfy(inner.indices.contains) else {
      return nil
    }

    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    if index.soleConsumer(of: middle) != nil { patch.remove(source) }
    patch.addNode(
      Transpose(permutation: outer.map { inner[$0] }), name: node.name, inputs: [input],
      outputs: [output])
    return patch
  }
}
