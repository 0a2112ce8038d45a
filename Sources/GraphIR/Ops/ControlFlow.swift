// SPDX-License-Identifier: Apache-2.0

/// A graph inside an operator.
///
/// Its inputs are those that the operator gives it, in order, and then the values that it takes
/// from the graph around it, which are inputs of the operator's node.
public struct Subgraph: Sendable, Equatable {
  public var graph: Graph

  public init(_ graph: Graph) { self.graph = graph }

  /// Whether both have equal nodes over equal values, whatever their names.
  public static func == (left: Subgraph, right: Subgraph) -> Bool {
    let (one, other) = (left.graph, right.graph)
    guard one.inputs.count == other.inputs.count, one.outputs.count == other.outputs.count,
      one.nodes.count == other.nodes.count
    else { return false }
    var same: [ValueID: ValueID] = [:]
    for (id, twin) in zip(one.inputs, other.inputs) { same[id] = twin }
    func agree(_ id: ValueID?, _ twin: ValueID?) -> Bool {
      guard let id, let twin else { return id == nil && twin == nil }
      if let known = same[id] { return known == twin }
      return one[id].constant != nil && one[id].constant == other[twin].constant
    }
    for (node, twin) in zip(one.nodes, other.nodes) {
      guard node.op.isEqual(to: twin.op), node.inputs.count == twin.inputs.count,
        node.outputs.count == twin.outputs.count,
        zip(node.inputs, twin.inputs).allSatisfy({ agree($0, $1) })
      else { return false }
      for case (.some(let id), .some(let twin)) in zip(node.outputs, twin.outputs) {
        same[id] = twin
      }
    }
    return zip(one.outputs, other.outputs).allSatisfy { agree($0, $1) }
  }
}

/// One of two graphs, by a condition; inputs the condition and what both graphs take from around.
public struct If: Op {
  public var kind: String { "If" }
  public var thenBranch: Subgraph
  public var elseBranch: Subgraph

  public init(then thenBranch: Subgraph, else elseBranch: Subgraph) {
    self.thenBranch = thenBranch
    self.elseBranch = elseBranch
  }

  public var isPure: Bool {
    [thenBranch, elseBranch].allSatisfy { $0.graph.nodes.allSatisfy(\.op.isPure) }
  }
}

/// Repeats a graph; inputs the greatest number of times and the first condition, either of which
/// may be left out, the carried values, and what the graph takes from around.
///
/// The graph takes the number of the iteration, the condition and the carried values, and gives
/// the next condition, the next carried values, and one element of each gathered output.
public struct Loop: Op {
  public var kind: String { "Loop" }
  public var body: Subgraph
  /// How many values are carried from one iteration to the next.
  public var carriedCount: Int

  public init(body: Subgraph, carriedCount: Int) {
    self.body = body
    self.carriedCount = carriedCount
  }

  public var isPure: Bool { false }
}

/// Runs a graph over the slices of tensors; inputs the first states, the scanned tensors, and what
/// the graph takes from around.
///
/// The graph takes the states and one slice of each scanned tensor, and gives the next states and
/// one slice of each gathered output.
public struct Scan: Op {
  public var kind: String { "Scan" }
  public var body: Subgraph
  public var stateCount: Int
  /// One per scanned tensor: the axis of its slices, and whether the last one comes first.
  public var inputAxes: [Int]
  public var reversesInputs: [Bool]
  /// One per gathered output.
  public var outputAxes: [Int]
  public var reversesOutputs: [Bool]

  public init(
    body: Subgraph, stateCount: Int, inputAxes: [Int], reversesInputs: [Bool], outputAxes: [Int],
    reversesOutputs: [Bool]
  ) {
    self.body = body
    self.stateCount = stateCount
    self.inputAxes = inputAxes
    self.reversesInputs = reversesInputs
    self.outputAxes = outputAxes
    self.reversesOutputs = reversesOutputs
  }

  public var isPure: Bool { false }
}
