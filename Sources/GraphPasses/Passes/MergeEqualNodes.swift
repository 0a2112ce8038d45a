// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Lets nodes that compute the same from the same values share one result.
///
/// Quantizing and dequantizing nodes are kept apart unless `mergesQuantization` is set: other
/// runtimes recognise quantized operators by a pair of their own around each.
package struct MergeEqualNodes: GraphPass {
  package var name: String { "merge-equal-nodes" }
  package var mergesQuantization: Bool

  package init(mergesQuantization: Bool = false) { self.mergesQuantization = mergesQuantization }

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    if node.op is Opaque || !node.op.isPure { return nil }
    if !mergesQuantization, node.op is QuantizeLinear || node.op is DequantizeLinear { return nil }
    guard let shared = node.inputs.compactMap({ $0 }).first(where: { index.constant($0) == nil })
    else { return nil }
    let twin = index.earlierConsumer(of: shared, than: node) { other in
      other.inputs == node.inputs && other.outputs.count == node.outputs.count
        && other.op.isEqual(to: node.op)
    }
    guard let twin else { return nil }
    let pairs = zip(node.outputs, twin.outputs)
    guard
      pairs.allSatisfy({ old, new in
        guard let old else { return true }
        guard let new else { return false }
        return index.canReplace(old, with: new)
      })
    else { return nil }

    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    for case (.some(let old), .some(let new)) in pairs { patch.replace(old, with: new) }
    return patch
  }
}
