// SPDX-License-Identifier: Apache-2.0
public import GraphIR

extension Graph {
  /// The graph with some nodes computed a second time where the backward part needs their results,
  /// so that those need not be kept in memory until then.
  ///
  /// Source: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016, section 3: the
  /// selected nodes are those whose results are dropped.
  ///
  /// Each copy stands just before its first use. A copy takes the copies of selected nodes and the
  /// kept results of others, so the results are identical, random dropout included. A pass that
  /// merges equal nodes would undo this; run it before.
  ///
  /// - Parameters:
  ///   - isRecomputed: Asked of each forward node.
  ///   - forwardNodeCount: How many of the graph's nodes, from the first, are the forward part:
  ///     the number of nodes before `addingGradients`.
  /// - Complexity: O(nodes).
  public func withRecomputation(
    of isRecomputed: (Node) -> Bool, forwardNodeCount: Int
  ) -> Graph {
    let forward = nodes.prefix(forwardNodeCount)
    var producers: [ValueID: Node] = [:]
    for node in forward where isRecomputed(node) {
      for case .some(let output) in node.outputs { producers[output] = node }
    }
    var result = self
    var order = Array(forward)
    var copies: [ValueID: ValueID] = [:]
    for var node in nodes.dropFirst(forwardNodeCount) {
      // The nodes to copy before this one, each after those that it takes results of.
      var pending = node.inputs.compactMap { $0.flatMap { producers[$0] } }
      while let source = pending.last {
        if source.outputs.contains(where: { $0.map { copies[$0] != nil } ?? false }) {
          pending.removeLast()
          continue
        }
        let waiting = source.inputs.compactMap { input -> Node? in
          guard let input, copies[input] == nil else { return nil }
          return producers[input]
        }
        if !waiting.isEmpty {
          pending += waiting
          continue
        }
        pending.removeLast()
        order.append(result.addCopy(of: source, &copies))
      }
      node.inputs = node.inputs.map { $0.map { copies[$0] ?? $0 } }
      order.append(node)
    }
    result.setNodes(order)
    return result
  }

  /// Adds a node that computes new values as `source` computes its own.
  private mutating func addCopy(of source: Node, _ copies: inout [ValueID: ValueID]) -> Node {
    let inputs = source.inputs.map { $0.map { copies[$0] ?? $0 } }
    let outputs = source.outputs.map { output in
      output.map { addValue(name: "\(self[$0].name).again", type: self[$0].type) }
    }
    for (old, new) in zip(source.outputs, outputs) {
      if let old { copies[old] = new }
    }
    let id = addNode(source.op, name: "\(source.name).again", inputs: inputs, outputs: outputs)
    return Node(
      id: id, name: "\(source.name).again", op: source.op, inputs: inputs, outputs: outputs)
  }
}
