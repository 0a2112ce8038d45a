// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Runs a graph node by node on the reference meaning of its operators.
///
/// Slow and exact: the oracle for the compiled runtime. Values are freed after their last use.
public struct Interpreter: Sendable {
  public let graph: Graph

  public init(_ graph: Graph) { self.graph = graph }

  /// The graph's outputs for the given inputs.
  ///
  /// - Parameters:
  ///   - inputs: A tensor per input name, of the declared type.
  ///   - observe: Called with each computed value in the order of computation.
  /// - Returns: The outputs in the graph's order.
  /// - Throws: `GraphError` if inputs are missing, unknown or of the wrong type, or a node
  ///   cannot be evaluated.
  public func run(
    _ inputs: [String: Tensor], observe: (ValueID, Tensor) -> Void = { _, _ in }
  ) throws(GraphError) -> [Tensor] {
    try graph.check(inputs: inputs)
    var values: [ValueID: Tensor] = [:]
    for id in graph.inputs { values[id] = inputs[graph[id].name] }
    var lastUse: [ValueID: NodeID] = [:]
    for node in graph.nodes {
      for case .some(let input) in node.inputs { lastUse[input] = node.id }
    }
    let kept = Set(graph.outputs)
    for node in graph.nodes {
      let operands = node.inputs.map { id in id.flatMap { values[$0] ?? graph[$0].constant } }
      let results: [Tensor]
      do {
        results = try node.op.evaluate(operands, outputCount: node.outputs.count)
      } catch {
        throw .invalidNode(node: node.name, kind: node.op.kind, error: error)
      }
      for case .some(let input) in node.inputs where lastUse[input] == node.id {
        if !kept.contains(input) { values[input] = nil }
      }
      for (output, result) in zip(node.outputs, results) {
        guard let output else { continue }
        values[output] = result
        observe(output, result)
      }
    }
    var outputs: [Tensor] = []
    for id in graph.outputs {
      guard let value = values[id] ?? graph[id].constant else {
        throw .undefinedValue(value: graph[id].name, node: "(output of the graph)")
      }
      outputs.append(value)
    }
    return outputs
  }
}

extension Graph {
  /// Checks that the tensors are the graph's inputs: names, element types and shapes.
  ///
  /// - Throws: `GraphError` naming the input and what it takes.
  public func check(inputs given: [String: Tensor]) throws(GraphError) {
    let names = inputs.map { self[$0].name }
    for id in inputs {
      let value = self[id]
      guard let tensor = given[value.name] else {
        throw .missingInput(name: value.name, expected: names)
      }
      guard let type = value.type else { continue }
      let dimensions = type.dimensions ?? tensor.shape.map { _ in .unknown }
      let fits =
        tensor.elementType == type.elementType && dimensions.count == tensor.rank
        && zip(dimensions, tensor.shape).allSatisfy { $0.value == nil || $0.value == $1 }
      guard fits else {
        throw .invalidInput(
          name: value.name, found: "\(TensorType(tensor.elementType, shape: tensor.shape))",
          expected: "\(type)")
      }
    }
    if let unknown = given.keys.sorted().first(where: { !names.contains($0) }) {
      throw .unknownInput(name: unknown, expected: names)
    }
  }
}
