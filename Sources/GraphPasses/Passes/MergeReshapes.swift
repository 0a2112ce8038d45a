// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Lets the second of two consecutive changes of shape read the first one's input, and removes
/// both where the second undoes the first.
package struct MergeReshapes: GraphPass {
  package var name: String { "merge-reshapes" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard isReshape(node.op), let output = index.onlyOutput(of: node),
      let middle = node.inputs.first.flatMap({ $0 }), let source = index.producer(of: middle),
      isReshape(source.op), index.onlyOutput(of: source) != nil,
      let input = source.inputs.first.flatMap({ $0 })
    else { return nil }
    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    if index.soleConsumer(of: middle) != nil { patch.remove(source) }

    if index.haveEqualDimensions(input, output), index.canReplace(output, with: input) {
      patch.replace(output, with: input)
      return patch
    }
    guard let target = target(of: node, output, from: input, in: index) else { return nil }
    let name = node.inputs.count > 1 ? index.graph[node.inputs[1] ?? output].name : nil
    let shape = patch.addConstant(
      Tensor(target, shape: [target.count]), name: name ?? index.graph[output].name + ".shape")
    patch.addNode(Reshape(), name: node.name, inputs: [input, shape], outputs: [output])
    return patch
  }

  private func isReshape(_ op: any Op) -> Bool {
    op is Reshape || op is Flatten || op is Squeeze || op is Unsqueeze
  }

  /// The target that gives the type of `output`, with at most one −1.
  private func target(
    of node: Node, _ output: ValueID, from input: ValueID, in index: GraphIndex
  ) -> [Int64]? {
    guard let dimensions = index.type(output)?.dimensions, !dimensions.contains(.fixed(0)),
      let given = index.type(input)?.dimensions
    else { return nil }
    return FoldShapes.reshapeTarget(dimensions, given: given, allowsZero: false)
  }
}
