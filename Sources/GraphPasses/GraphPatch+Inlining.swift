// SPDX-License-Identifier: Apache-2.0
import GraphIR

extension GraphPatch {
  /// Puts the nodes of a graph in the place of a node.
  ///
  /// - Parameters:
  ///   - body: The graph; its nodes become nodes of the patch.
  ///   - node: The node, which is removed; its outputs are computed by the body.
  ///   - inputs: What stands for values of the body that it does not compute; constants need none.
  ///   - results: The body's values that become the node's outputs.
  ///   - prefix: What is put before the names of the body's nodes and values.
  mutating func inline(
    _ body: Graph, inPlaceOf node: Node, inputs: [ValueID: ValueID], results: [ValueID],
    prefix: String = ""
  ) {
    remove(node)
    var outer = inputs
    let computed = Set(body.nodes.flatMap { $0.outputs.compactMap { $0 } })
    var copies: [(from: ValueID, to: ValueID)] = []
    for (result, output) in zip(results, node.outputs) {
      guard let output else { continue }
      if computed.contains(result), outer[result] == nil {
        outer[result] = output
      } else {
        copies.append((result, output))
      }
    }
    for inner in body.nodes {
      let name = inner.name.isEmpty ? inner.op.kind : inner.name
      addNode(
        inner.op, name: prefix + name,
        inputs: inner.inputs.map { adopted($0, of: body, &outer, prefix) },
        outputs: inner.outputs.map { adopted($0, of: body, &outer, prefix) })
    }
    for (from, to) in copies {
      addNode(
        Identity(), name: node.name, inputs: [adopted(from, of: body, &outer, prefix)],
        outputs: [to])
    }
  }

  private mutating func adopted(
    _ inner: ValueID?, of body: Graph, _ outer: inout [ValueID: ValueID], _ prefix: String
  ) -> ValueID? {
    guard let inner else { return nil }
    if let known = outer[inner] { return known }
    let value = body[inner]
    let new =
      value.constant.map { addConstant($0, name: prefix + value.name) }
      ?? addValue(name: prefix + value.name, type: value.type)
    outer[inner] = new
    return new
  }
}
