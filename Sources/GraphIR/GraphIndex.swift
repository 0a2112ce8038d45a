// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Who computes and who uses each value of a graph; made once per state of the graph.
public struct GraphIndex: Sendable {
  public let graph: Graph

  /// The elements of values that describe shapes, as far as inference found them.
  public let contents: [ValueID: [Dimension]]

  /// Bytes of constants that passes may still add to the graph.
  public private(set) var constantAllowance: Int

  /// What patches that are already accepted make constant.
  private var comingConstants: [ValueID: Tensor] = [:]
  private let producers: [Int]
  private let users: [[Int]]
  private let outputs: Set<ValueID>

  /// Indexes a graph.
  ///
  /// - Parameters:
  ///   - contents: What `Graph.inferredContents()` says of the graph, where it is needed.
  ///   - constantAllowance: Bytes of constants that passes may add.
  public init(
    _ graph: Graph, contents: [ValueID: [Dimension]] = [:], constantAllowance: Int = .max
  ) {
    var producers = [Int](repeating: -1, count: graph.values.count)
    var users = [[Int]](repeating: [], count: graph.values.count)
    for (position, node) in graph.nodes.enumerated() {
      for case .some(let output) in node.outputs { producers[output.index] = position }
      for case .some(let input) in node.inputs where users[input.index].last != position {
        users[input.index].append(position)
      }
    }
    self.graph = graph
    self.contents = contents
    self.constantAllowance = constantAllowance
    self.producers = producers
    self.users = users
    outputs = Set(graph.outputs)
  }

  /// Where the node that computes a value stands among the nodes; `nil` for inputs, constants and
  /// left-out operands.
  public func position(ofProducerOf value: ValueID?) -> Int? {
    guard let value, graph.hasValue(value), producers[value.index] >= 0 else { return nil }
    return producers[value.index]
  }

  /// The node that computes a value; `nil` for inputs, constants and left-out operands.
  public func producer(of value: ValueID?) -> Node? {
    position(ofProducerOf: value).map { graph.nodes[$0] }
  }

  /// The nodes that use a value, each once, in order.
  public func consumers(of value: ValueID) -> [Node] {
    users[value.index].map { graph.nodes[$0] }
  }

  /// Whether a node that is not among the given ones uses a value.
  public func isUsed(_ value: ValueID, besides nodes: Set<NodeID>) -> Bool {
    users[value.index].contains { !nodes.contains(graph.nodes[$0].id) }
  }

  /// The first node before another one that uses a value and meets a condition.
  ///
  /// Of a value that very many nodes use only the first `limit` are looked at.
  public func earlierConsumer(
    of value: ValueID, than node: Node, limit: Int = 256, where condition: (Node) -> Bool
  ) -> Node? {
    for position in users[value.index].prefix(limit) {
      let other = graph.nodes[position]
      if other.id == node.id { return nil }
      if condition(other) { return other }
    }
    return nil
  }

  /// How many nodes use a value.
  public func consumerCount(of value: ValueID) -> Int { users[value.index].count }

  public func isOutput(_ value: ValueID) -> Bool { outputs.contains(value) }

  /// The one node that uses a value that is no output of the graph and is used once by it.
  public func soleConsumer(of value: ValueID) -> Node? {
    guard !isOutput(value), users[value.index].count == 1 else { return nil }
    let node = graph.nodes[users[value.index][0]]
    return node.inputs.filter { $0 == value }.count == 1 ? node : nil
  }

  public func constant(_ value: ValueID?) -> Tensor? {
    value.flatMap { comingConstants[$0] } ?? graph.constant(value)
  }

  /// Takes note of the constants of a patch that will be applied to the graph.
  public mutating func expect(_ patch: GraphPatch) {
    for (value, tensor) in patch.constants { comingConstants[value] = tensor }
    constantAllowance -= patch.constantByteCount
  }

  public func type(_ value: ValueID?) -> TensorType? { graph.type(value) }
}
