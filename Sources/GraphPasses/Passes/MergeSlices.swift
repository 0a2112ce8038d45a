// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Makes one slice of two consecutive ones along different axes.
package struct MergeSlices: GraphPass {
  package var name: String { "merge-slices" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let middle = node.inputs.first.flatMap({ $0 }), index.soleConsumer(of: middle) != nil,
      let output = index.onlyOutput(of: node),
      let (source, _) = index.producer(of: middle, as: Slice.self), let input = source.inputs[0],
      let rank = index.type(input)?.rank, let second = ranges(of: node, rank, in: index),
      let first = ranges(of: source, rank, in: index), first[2] != second[2],
      Set(first[2]).isDisjoint(with: second[2])
    else { return nil }
    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    patch.remove(source)
    let joined = zip(zip(first, second), ["starts", "ends", "axes", "steps"]).map { lists, name in
      let values = (lists.0 + lists.1).map { Int64($0) }
      return patch.addConstant(Tensor(values, shape: [values.count]), name: name)
    }
    patch.addNode(Slice(), name: node.name, inputs: [input] + joined, outputs: [output])
    return patch
  }

  /// Starts, ends, axes and steps, if they are constants.
  private func ranges(of node: Node, _ rank: Int, in index: GraphIndex) -> [[Int]]? {
    guard node.op is Slice, node.inputs.count >= 3, let starts = index.integers(node.inputs[1]),
      let ends = index.integers(node.inputs[2]), starts.count == ends.count
    else { return nil }
    var axes = Array(starts.indices)
    var steps = starts.map { _ in 1 }
    if node.inputs.count > 3, node.inputs[3] != nil {
      guard let given = index.integers(node.inputs[3]) else { return nil }
      axes = given.map { $0 < 0 ? $0 + rank : $0 }
    }
    if node.inputs.count > 4, node.inputs[4] != nil {
      guard let given = index.integers(node.inputs[4]) else { return nil }
      steps = given
    }
    guard axes.count == starts.count, steps.count == starts.count else { return nil }
    return [starts, ends, axes, steps]
  }
}
