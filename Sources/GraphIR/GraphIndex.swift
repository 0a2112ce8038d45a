// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Who computes and who uses each value of a graph; made once per state of the graph.
public struct GraphIndex: Sendable {
  public let graph: Graph

  /// The elements of values that describe shapes, as far as inference found them.
  public let contents: [ValueID: [Dimension]]
  private let producers: [Int]
  private let users: [[Int]]
  private let outputs: Set<ValueID>

  /// Indexes a graph.
  ///
  /// - Parameter contents: What `Graph.inferredContents()` says of the graph, where it is needed.
  public init(_ graph: Graph, contents: [ValueID: [Dimension]] = [:]) {
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

  /// How many nodes use a value.
  public func consumerCount(of value: ValueID) -> Int { users[value.index].count }

  public func isOutput(_ value: ValueID) -> Bool { outputs.contains(value) }

  /// The one node that uses a value that is no output of the graph and is used once by it.
  public func soleConsumer(of value: ValueID) -> Node? {
    guard !isOutput(value), users[value.index].count == 1 else { return nil }
    let node = graph.nodes[users[value.index][0]]
    return node.inputs.filter { $0 == value }.count == 1 ? node : nil
  }

  public func constant(_ value: ValueID?) -> Tensor? { graph.constant(value) }

  public func type(_ value: ValueID?) -> TensorType? { graph.type(value) }
}
