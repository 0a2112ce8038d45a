// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// A small change to a graph: nodes that go, nodes that come, and values that take others' places.
///
/// A new node may compute the outputs of nodes that the same patch removes; that keeps the names
/// of values that others see. Apply it to the graph it was made from.
public struct GraphPatch: Sendable {
  var graph: Graph
  var removed: Set<NodeID> = []
  var added: [Node] = []
  var replacements: [(old: ValueID, new: ValueID)] = []
  var firstNewNode: Int

  public init(of graph: Graph) {
    self.graph = graph
    firstNewNode = graph.nodes.count
  }

  public mutating func remove(_ node: Node) { removed.insert(node.id) }

  public mutating func addConstant(_ tensor: Tensor, name: String) -> ValueID {
    graph.addConstant(tensor, name: name)
  }

  public mutating func addValue(name: String, type: TensorType?) -> ValueID {
    graph.addValue(name: name, type: type)
  }

  /// Adds a node; `outputs` are new values or those of removed nodes.
  public mutating func addNode(
    _ op: any Op, name: String, inputs: [ValueID?], outputs: [ValueID?]
  ) {
    graph.addNode(op, name: name, inputs: inputs, outputs: outputs)
  }

  /// Lets every use of `old`, as an output of the graph too, use `new` instead.
  public mutating func replace(_ old: ValueID, with new: ValueID) {
    replacements.append((old, new))
  }

  /// Turns a computed value into a constant; the node that computed it must be removed.
  public mutating func setConstant(_ tensor: Tensor, of value: ValueID) {
    graph.setConstant(tensor, of: value)
  }
}

extension Graph {
  /// The graph with a patch applied and its nodes in topological order.
  ///
  /// An output of the graph keeps its name when another value takes its place.
  ///
  /// - Throws: `GraphError.cycle` if the patch makes one.
  public func applying(_ patch: GraphPatch) throws(GraphError) -> Graph {
    var result = patch.graph
    let old = Array(result.nodes.prefix(patch.firstNewNode))
    let new = Array(result.nodes.dropFirst(patch.firstNewNode))
    let place = old.lastIndex { patch.removed.contains($0.id) } ?? old.count
    var nodes: [Node] = []
    for (position, node) in old.enumerated() {
      if position == place { nodes += new }
      if !patch.removed.contains(node.id) { nodes.append(node) }
    }
    if place == old.count { nodes += new }
    result.setNodes(nodes)
    for (old, new) in patch.replacements { result.substitute(old, with: new) }
    try result.sortTopologically()
    return result
  }

  private mutating func substitute(_ old: ValueID, with new: ValueID) {
    for position in nodes.indices {
      for index in nodes[position].inputs.indices where nodes[position].inputs[index] == old {
        nodes[position].inputs[index] = new
      }
    }
    guard outputs.contains(old) else { return }
    if inputs.contains(new) || outputs.contains(new) || self[new].constant != nil {
      let stillComputed = nodes.contains { $0.outputs.contains(old) }
      if !stillComputed { addNode(Identity(), name: "", inputs: [new], outputs: [old]) }
    } else {
      exchangeNames(old, new)
      for index in outputs.indices where outputs[index] == old { outputs[index] = new }
    }
  }

  /// Puts the nodes in topological order, keeping the present order where it is one.
  ///
  /// - Throws: `GraphError.cycle` with the nodes that wait for each other.
  public mutating func sortTopologically() throws(GraphError) {
    var producer: [ValueID: Int] = [:]
    for (position, node) in nodes.enumerated() {
      for case .some(let output) in node.outputs { producer[output] = position }
    }
    var isSorted = true
    for (position, node) in nodes.enumerated() where isSorted {
      for case .some(let input) in node.inputs where (producer[input] ?? -1) >= position {
        isSorted = false
      }
    }
    if isSorted { return }
    var state = [UInt8](repeating: 0, count: nodes.count)
    var order: [Int] = []
    order.reserveCapacity(nodes.count)
    for root in nodes.indices where state[root] == 0 {
      var stack: [(node: Int, next: Int)] = [(root, 0)]
      state[root] = 1
      while let top = stack.last {
        let inputs = nodes[top.node].inputs
        if top.next < inputs.count {
          stack[stack.count - 1].next += 1
          guard let input = inputs[top.next], let source = producer[input] else { continue }
          if state[source] == 1 {
            throw .cycle(nodes: stack.map { nodes[$0.node].name })
          }
          if state[source] == 0 {
            state[source] = 1
            stack.append((source, 0))
          }
        } else {
          state[top.node] = 2
          order.append(top.node)
          stack.removeLast()
        }
      }
    }
    nodes = order.map { nodes[$0] }
  }
}
