// SPDX-License-Identifier: Apache-2.0

/// Names inside the subgraphs that attributes hold.
///
/// A name that a subgraph uses but does not define is captured from the graph around it. The
/// depth of subgraphs is bounded by the decoder's bound on nested messages.
enum Subgraphs {
  /// The names that a node's subgraphs capture, each once, in the order of their use.
  static func capturedNames(_ node: OnnxNodeProto) -> [String] {
    var names: [String] = []
    var seen: Set<String> = [""]
    for graph in graphs(of: node) {
      for name in freeNames(graph) where seen.insert(name).inserted { names.append(name) }
    }
    return names
  }

  static func graphs(of node: OnnxNodeProto) -> [OnnxGraphProto] {
    node.attribute.flatMap { ($0.hasG ? [$0.g] : []) + $0.graphs }
  }

  private static func freeNames(_ graph: OnnxGraphProto) -> [String] {
    let defined = Set(definedNames(graph))
    var used: [String] = []
    for node in graph.node { used += node.input + capturedNames(node) }
    used += graph.output.map(\.name)
    return used.filter { !defined.contains($0) }
  }

  /// The names that a subgraph itself defines, not those of subgraphs in it.
  static func definedNames(_ graph: OnnxGraphProto) -> [String] {
    graph.input.map(\.name) + graph.initializer.map(\.name) + graph.node.flatMap(\.output)
  }

  /// All names in a graph and its subgraphs.
  static func allNames(_ graph: OnnxGraphProto) -> [String] {
    var names = definedNames(graph)
    for node in graph.node {
      names += node.input
      for inner in graphs(of: node) { names += allNames(inner) }
    }
    return names
  }

  /// The number of nodes in a node's subgraphs.
  static func nodeCount(_ node: OnnxNodeProto) -> Int {
    graphs(of: node).reduce(0) { sum, graph in
      graph.node.reduce(sum + graph.node.count) { $0 + nodeCount($1) }
    }
  }

  /// Gives captured values other names wherever a node's subgraphs use them.
  static func renameCaptured(_ names: [String: String], in node: inout OnnxNodeProto) {
    forEachGraph(in: &node) { graph in
      let defined = Set(definedNames(graph))
      rename(names.filter { !defined.contains($0.key) }, in: &graph)
    }
  }

  /// Gives values of a graph other names: those it uses, and those it defines.
  static func rename(_ names: [String: String], in graph: inout OnnxGraphProto) {
    if names.isEmpty { return }
    func renamed(_ name: String) -> String { names[name] ?? name }
    for index in graph.input.indices { graph.input[index].name = renamed(graph.input[index].name) }
    for index in graph.initializer.indices {
      graph.initializer[index].name = renamed(graph.initializer[index].name)
    }
    for index in graph.output.indices {
      graph.output[index].name = renamed(graph.output[index].name)
    }
    for index in graph.valueInfo.indices {
      graph.valueInfo[index].name = renamed(graph.valueInfo[index].name)
    }
    for index in graph.node.indices {
      graph.node[index].input = graph.node[index].input.map(renamed)
      graph.node[index].output = graph.node[index].output.map(renamed)
      renameCaptured(names, in: &graph.node[index])
    }
  }

  static func forEachGraph<Failure>(
    in node: inout OnnxNodeProto, _ change: (inout OnnxGraphProto) throws(Failure) -> Void
  ) throws(Failure) {
    for index in node.attribute.indices {
      if node.attribute[index].hasG { try change(&node.attribute[index].g) }
      for inner in node.attribute[index].graphs.indices {
        try change(&node.attribute[index].graphs[inner])
      }
    }
  }
}
