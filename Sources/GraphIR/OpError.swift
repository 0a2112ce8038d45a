// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// How a node's inputs or attributes break its operator's rules.
public enum OpError: Error, Equatable, Sendable, CustomStringConvertible {
  case wrongInputCount(found: Int, expected: ClosedRange<Int>)
  case missingInput(name: String)
  case invalidRank(input: String, found: Int, expected: String)
  case invalidShape(input: String, found: [Int], expected: String)
  case invalidElementType(input: String, found: ElementType, expected: String)
  case invalidAttribute(name: String, found: String, expected: String)
  case invalidValue(input: String, found: String, expected: String)
  case tooLarge(shape: [Int])
  case notEvaluable(kind: String)

  public var description: String {
    switch self {
    case .wrongInputCount(let found, let expected):
      "\(found) inputs given (expected \(expected.lowerBound)…\(expected.upperBound))"
    case .missingInput(let name): "input \"\(name)\" is missing"
    case .invalidRank(let input, let found, let expected):
      "\(input) has rank \(found) (expected \(expected))"
    case .invalidShape(let input, let found, let expected):
      "\(input) has shape \(found) (expected \(expected))"
    case .invalidElementType(let input, let found, let expected):
      "\(input) is \(found.rawValue) (expected \(expected))"
    case .invalidAttribute(let name, let found, let expected):
      "attribute \(name) is \(found) (expected \(expected))"
    case .invalidValue(let input, let found, let expected):
      "\(input) is \(found) (expected \(expected))"
    case .tooLarge(let shape): "a result of shape \(shape) is too large"
    case .notEvaluable(let kind): "operator \(kind) is unsupported"
    }
  }
}
