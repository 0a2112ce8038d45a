// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// The rules that every graph keeps: one producer per value, uses after definitions, known
/// outputs, and types that agree with what the operators compute.
public enum Verifier {
  /// Checks a graph.
  ///
  /// - Throws: The first rule that is broken.
  public static func verify(_ graph: Graph) throws(GraphError) {
    let given = Set(graph.inputs)
    var defined = given
    var computed: Set<ValueID> = []
    for node in graph.nodes {
      for case .some(let input) in node.inputs {
        guard defined.contains(input) || graph[input].constant != nil else {
          throw .undefinedValue(value: graph[input].name, node: node.name)
        }
      }
      for case .some(let output) in node.outputs {
        guard computed.insert(output).inserted, !given.contains(output) else {
          throw .computedTwice(value: graph[output].name)
        }
        defined.insert(output)
      }
    }
    for output in graph.outputs {
      guard defined.contains(output) || graph[output].constant != nil else {
        throw .undefinedValue(value: graph[output].name, node: "(output of the graph)")
      }
    }
    try verifyTypes(of: graph)
  }

  private static func verifyTypes(of graph: Graph) throws(GraphError) {
    for node in graph.nodes {
      let operands = node.inputs.map { id in
        id.map { Operand(type: graph[$0].type, constant: graph[$0].constant) }
      }
      let types: [TensorType?]
      do {
        types = try node.op.inferTypes(operands, outputCount: node.outputs.count)
      } catch {
        throw .invalidNode(node: node.name, kind: node.op.kind, error: error)
      }
      for (output, type) in zip(node.outputs, types) {
        guard let output, let type, let declared = graph[output].type else { continue }
        guard agree(type, declared) else {
          throw .typeMismatch(
            value: graph[output].name, declared: "\(declared)", inferred: "\(type)")
        }
      }
    }
  }

  private static func agree(_ left: TensorType, _ right: TensorType) -> Bool {
    guard left.elementType == right.elementType else { return false }
    guard let first = left.dimensions, let second = right.dimensions else { return true }
    guard first.count == second.count else { return false }
    return zip(first, second).allSatisfy { one, other in
      one.value == nil || other.value == nil || one == other
    }
  }
}
