// SPDX-License-Identifier: Apache-2.0
public import GraphIR

/// Why gradients, or the training form of a graph, cannot be built.
public enum AutodiffError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The operator has no gradient rule.
  case noRule(node: String, kind: String, differentiable: [String])
  /// The operator has a rule, but not for this input or these attributes.
  case notDifferentiable(node: String, kind: String, reason: String)
  /// A rule must know more of a shape or of a constant than the graph says.
  case unknown(node: String, kind: String, what: String)
  case lossIsNoScalar(value: String, found: String)
  case notFloatingPoint(value: String, found: String)
  case unknownConstant(name: String, expected: [String])
  case constantMismatch(name: String, found: String, expected: String)
  case invalidNode(node: String, kind: String, error: OpError)

  public var description: String {
    switch self {
    case .noRule(let node, let kind, let differentiable):
      "node \"\(node)\": \(kind) has no gradient rule (differentiable are "
        + differentiable.joined(separator: ", ") + ")"
    case .notDifferentiable(let node, let kind, let reason):
      "node \"\(node)\" (\(kind)) cannot be differentiated: \(reason)"
    case .unknown(let node, let kind, let what):
      "node \"\(node)\" (\(kind)): its gradient needs \(what) to be known"
    case .lossIsNoScalar(let value, let found):
      "the loss \"\(value)\" is \(found) (expected one floating-point number)"
    case .notFloatingPoint(let value, let found):
      "\"\(value)\" is \(found) (expected a floating-point tensor to differentiate by)"
    case .unknownConstant(let name, let expected):
      "no constant is named \"\(name)\" (there are \(expected.prefix(8).joined(separator: ", "))"
        + (expected.count > 8 ? ", …)" : ")")
    case .constantMismatch(let name, let found, let expected):
      "constant \"\(name)\" is given \(found) (expected \(expected))"
    case .invalidNode(let node, let kind, let error):
      "gradient of node \"\(node)\", \(kind): \(error)"
    }
  }
}
