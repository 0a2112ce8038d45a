// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// What can be wrong with a graph as a whole.
public enum GraphError: Error, Equatable, Sendable, CustomStringConvertible {
  case cycle(nodes: [String])
  case undefinedValue(value: String, node: String)
  case computedTwice(value: String)
  case invalidNode(node: String, kind: String, error: OpError)
  case typeMismatch(value: String, declared: String, inferred: String)
  case missingInput(name: String, expected: [String])
  case unknownInput(name: String, expected: [String])
  case invalidInput(name: String, found: String, expected: String)

  public var description: String {
    switch self {
    case .cycle(let nodes):
      "nodes wait for each other in a circle: \(nodes.prefix(6).joined(separator: " → "))"
    case .undefinedValue(let value, let node):
      "node \"\(node)\" uses \"\(value)\", which nothing computes"
    case .computedTwice(let value): "value \"\(value)\" is computed by two nodes"
    case .invalidNode(let node, let kind, let error): "node \"\(node)\" (\(kind)): \(error)"
    case .typeMismatch(let value, let declared, let inferred):
      "value \"\(value)\" is declared \(declared) but computed as \(inferred)"
    case .missingInput(let name, let expected):
      "input \"\(name)\" is missing (the network takes \(expected.joined(separator: ", ")))"
    case .unknownInput(let name, let expected):
      "no input is named \"\(name)\" (the network takes \(expected.joined(separator: ", ")))"
    case .invalidInput(let name, let found, let expected):
      "input \"\(name)\" is \(found) (expected \(expected))"
    }
  }
}
