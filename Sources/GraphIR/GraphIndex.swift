// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Who computes and who uses each value of a graph; made once per state of the graph.
public struct GraphIndex: Sendable {
  public let graph: Graph
  private let producers: [ValueID: Int]
  private let users: [ValueID: [Int]]
  private let outputs: Set<ValueID>

  public init(_ graph: Graph) {
    var producers: [ValueID: Int] = [:]
    var users: [ValueID: [Int]] = [:]
    for (position, node) in graph.nodes.enumerated() {
      for case .some(let output) in node.outputs { producers[output] = position }
      var seen: Set<ValueID> = []
      for case .some(let input) in node.inputs where seen.insert(input).inserted {
        users[input, default: []].append(position)
      }
    }
    self.graph = graph
    self.producers = producers
    self.users = users
    outputs = Set(graph.outputs)
  }

  /// The node that computes a value; `nil` for inputs, constants and left-out operands.
  public func producer(of value: ValueID?) -> Node? {
    value.flatMap { producers[$0] }.map { graph.nodes[$0] }
  }

  /// The nodes that use a value, each once, in order.
  public func consumers(of value: ValueID) -> [Node] {
    (users[value] ?? []).map { graph.nodes[$0] }
  }

  public func isOutput(_ value: ValueID) -> Bool { outputs.contains(value) }

  /// The one node that uses a value that is no output of the graph and is used once by it.
  public func soleConsumer(of value: ValueID) -> Node? {
    guard !isOutput(value), let positions = users[value], positions.count == 1 else { return nil }
    let node = graph.nodes[positions[0]]
    return node.inputs.filter { $0 == value }.count == 1 ? node : nil
  }

  public func constant(_ value: ValueID?) -> Tensor? { graph.constant(value) }

  public func type(_ value: ValueID?) -> TensorType? { graph.type(value) }
}
