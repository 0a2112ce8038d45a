// SPDX-License-Identifier: Apache-2.0
public import GraphIR

/// A value of a network that has channels and places.
public struct FeatureMap: Sendable, Equatable {
  public var name: String

  /// Channels, height and width.
  public var shape: [Int]

  public init(name: String, shape: [Int]) {
    self.name = name
    self.shape = shape
  }
}

/// What can be compared of a network: its feature maps, and which of them end a stage.
public struct FeatureMaps: Sendable, Equatable {
  /// In the order in which they are computed.
  public let all: [FeatureMap]

  /// The last map of each size through which everything that follows is computed, those of a single
  /// place left out: the values before the size changes and before global pooling.
  public let stages: [FeatureMap]

  /// The maps on the ways from an input to a value.
  ///
  /// - Parameters:
  ///   - graph: Of known shapes.
  ///   - input: The samples.
  ///   - output: The scores.
  /// - Complexity: O(nodes).
  public init(of graph: Graph, from input: ValueID, to output: ValueID) {
    let between = Self.between(graph, input, output)
    var lastUses: [ValueID: Int] = [output: .max]
    for (position, node) in graph.nodes.enumerated()
    where node.outputs.contains(where: { $0.map(between.contains) ?? false }) {
      for case .some(let value) in node.inputs where value != output { lastUses[value] = position }
    }
    var all: [FeatureMap] = []
    var stages: [FeatureMap] = []
    // The last position at which a value computed so far is used.
    var furthest = lastUses[input] ?? -1
    for (position, node) in graph.nodes.enumerated() {
      for case .some(let value) in node.outputs where between.contains(value) {
        let isPassedByAll = furthest <= position
        furthest = max(furthest, lastUses[value] ?? -1)
        guard let shape = graph.type(value)?.shape, shape.count == 4 else { continue }
        let map = FeatureMap(name: graph[value].name, shape: Array(shape.dropFirst()))
        all.append(map)
        guard isPassedByAll, shape[2] * shape[3] > 1 else { continue }
        if stages.last?.shape.dropFirst() == map.shape.dropFirst() { stages.removeLast() }
        stages.append(map)
      }
    }
    self.all = all
    self.stages = stages
  }

  /// Values that follow from the input and that the output follows from.
  private static func between(
    _ graph: Graph, _ input: ValueID, _ output: ValueID
  ) -> Set<ValueID> {
    var following: Set<ValueID> = [input]
    for node in graph.nodes
    where node.inputs.contains(where: { $0.map(following.contains) ?? false }) {
      following.formUnion(node.outputs.compactMap { $0 })
    }
    var leading: Set<ValueID> = [output]
    for node in graph.nodes.reversed()
    where node.outputs.contains(where: { $0.map(leading.contains) ?? false }) {
      leading.formUnion(node.inputs.compactMap { $0 })
    }
    return following.intersection(leading)
  }
}
