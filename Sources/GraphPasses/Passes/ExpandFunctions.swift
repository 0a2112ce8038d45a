// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Replaces operators that are functions of others by these.
package struct ExpandFunctions: GraphPass {
  package var name: String { "expand-functions" }

  /// Whether only operators outside ONNX's own domain are replaced, which other runtimes may lack.
  package var keepsStandardOperators: Bool

  package init(keepsStandardOperators: Bool = false) {
    self.keepsStandardOperators = keepsStandardOperators
  }

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let op = node.op as? any CompositeOp,
      !keepsStandardOperators || !op.domain.isEmpty
    else { return nil }
    let operands = node.inputs.map { id in
      id.map {
        Operand(
          type: index.type($0), constant: index.constant($0), contents: index.contents[$0])
      }
    }
    guard
      let (composition, formal, results) = try? op.body(
        operands, outputCount: node.outputs.count)
    else { return nil }
    var inputs: [ValueID: ValueID] = [:]
    for case (.some(let inner), .some(let given)) in zip(formal, node.inputs) {
      inputs[inner] = given
    }
    let base = node.name.isEmpty ? node.op.kind : node.name
    var patch = GraphPatch(of: index.graph)
    patch.inline(
      composition.graph, inPlaceOf: node, inputs: inputs, results: results, prefix: base + "/")
    return patch
  }
}
