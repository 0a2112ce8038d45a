// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Replaces an `If` whose condition is known by the branch that is taken.
///
/// Exporters write an `If` around a `Squeeze` of an axis whose extent they did not know.
package struct InlineBranches: GraphPass {
  package var name: String { "inline-branches" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let op = node.op as? If, let condition = node.inputs.first.flatMap({ $0 }),
      let isTrue = isTrue(condition, in: index)
    else { return nil }
    let body = (isTrue ? op.thenBranch : op.elseBranch).graph
    guard body.inputs.count == node.inputs.count - 1,
      body.outputs.count >= node.outputs.count
    else { return nil }
    var inputs: [ValueID: ValueID] = [:]
    for (inner, captured) in zip(body.inputs, node.inputs.dropFirst()) { inputs[inner] = captured }
    var patch = GraphPatch(of: index.graph)
    patch.inline(body, inPlaceOf: node, inputs: inputs, results: body.outputs)
    return patch
  }

  private func isTrue(_ condition: ValueID, in index: GraphIndex) -> Bool? {
    if let constant = index.constant(condition), constant.count == 1 {
      return constant.integers().first != 0
    }
    guard let contents = index.contents[condition], contents.count == 1 else { return nil }
    return contents[0].value.map { $0 != 0 }
  }
}
