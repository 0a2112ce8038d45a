// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with the choice of a method or of layers.
public enum CompressionError: Error, Equatable, Sendable, CustomStringConvertible {
  case malformedChoice(String)
  case unknownMethod(String, family: String, known: [String])
  case unknownOption(String, method: String, accepted: [String])
  case invalidOption(String, method: String, found: String, accepted: String)
  case invalidPattern(String, reason: String)
  case selectsNothing(String, examples: [String])

  public var description: String {
    switch self {
    case .malformedChoice(let text):
      "\(text): no method (accepted: NAME, NAME:option=value,option=value, or in a recipe "
        + "{kind: NAME, option: value})"
    case .unknownMethod(let name, let family, let known):
      "no \(family) is named \"\(name)\" (known: \(known.joined(separator: ", ")))"
    case .unknownOption(let name, let method, let accepted):
      "\(method) has no option \"\(name)\" ("
        + (accepted.isEmpty ? "it has none" : "accepted: \(accepted.joined(separator: ", "))") + ")"
    case .invalidOption(let name, let method, let found, let accepted):
      "\(method): \(name)=\(found) (accepted: \(accepted))"
    case .invalidPattern(let pattern, let reason):
      "/\(pattern)/ is no regular expression: \(reason)"
    case .selectsNothing(let text, let examples):
      "\"\(text)\" selects no layer (layers are such as \(examples.joined(separator: ", ")))"
    }
  }
}

extension CompressionError {
  /// The error that a decoder has wrapped in its own, if it has.
  public init?(in error: any Error) {
    if let own = error as? CompressionError {
      self = own
      return
    }
    guard case DecodingError.dataCorrupted(let context) = error,
      let inner = context.underlyingError
    else { return nil }
    self.init(in: inner)
  }
}
