// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Writes a pooling whose one window is the whole map, and a mean or maximum over all spatial
/// axes, as global pooling.
package struct RecognizeGlobalPooling: GraphPass {
  package var name: String { "recognize-global-pooling" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let input = node.inputs.first.flatMap({ $0 }), let output = index.onlyOutput(of: node),
      let dimensions = index.type(input)?.dimensions, dimensions.count >= 3, index.isReal(input),
      let (statistic, keepsAxes) = statistic(of: node, dimensions, in: index)
    else { return nil }

    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    if keepsAxes {
      patch.addNode(GlobalPool(statistic), name: node.name, inputs: [input], outputs: [output])
    } else {
      let pooled = patch.addValue(name: index.graph[output].name + ".pooled", type: nil)
      patch.addNode(GlobalPool(statistic), name: node.name, inputs: [input], outputs: [pooled])
      patch.addNode(Flatten(), name: "", inputs: [pooled], outputs: [output])
    }
    return patch
  }

  private func statistic(
    of node: Node, _ dimensions: [Dimension], in index: GraphIndex
  ) -> (GlobalPool.Statistic, keepsAxes: Bool)? {
    if let pool = node.op as? AveragePool, coversMap(pool.window, dimensions) {
      return (.average, true)
    }
    if let pool = node.op as? MaxPool, coversMap(pool.window, dimensions) {
      return (.maximum, true)
    }
    guard let reduce = node.op as? Reduce, reduce.function == .mean || reduce.function == .maximum,
      node.inputs.count == 2, let axes = index.integers(node.inputs[1])
    else { return nil }
    let spatial = Set(2..<dimensions.count)
    guard Set(axes.map { $0 < 0 ? $0 + dimensions.count : $0 }) == spatial else { return nil }
    return (reduce.function == .mean ? .average : .maximum, reduce.keepsDimensions)
  }

  private func coversMap(_ window: PoolingWindow, _ dimensions: [Dimension]) -> Bool {
    dimensions.dropFirst(2).map(\.value) == window.kernel.map(Optional.some)
      && window.padding.isNone && window.dilations.allSatisfy { $0 == 1 }
  }
}
