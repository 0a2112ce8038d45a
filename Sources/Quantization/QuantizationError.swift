// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with a request to quantize.
public enum QuantizationError: Error, Equatable, Sendable, CustomStringConvertible {
  case unsupportedType(String, role: String, supported: [String])
  case unsupportedBits(Int, supported: String)
  case unknownEstimator(String, known: [String])
  case invalidPattern(String, reason: String)
  case patternMatchesNothing(String, examples: [String])
  case emptyCalibration
  case notFinite(value: String, count: Int)
  case nothingToQuantize(reason: String)
  case alreadyQuantized(node: String)
  case notIntegerOnly(node: String, reason: String)

  public var description: String {
    switch self {
    case .unsupportedType(let type, let role, let supported):
      "\(type) is no type for \(role) (supported: \(supported.joined(separator: ", ")))"
    case .unsupportedBits(let bits, let supported):
      "\(bits) bits are not supported (accepted: \(supported))"
    case .unknownEstimator(let name, let known):
      "no range estimator is named \"\(name)\" (known: \(known.joined(separator: ", ")))"
    case .invalidPattern(let pattern, let reason):
      "\"\(pattern)\" is no regular expression: \(reason)"
    case .patternMatchesNothing(let pattern, let examples):
      "\"\(pattern)\" matches no node's name (names are such as "
        + "\(examples.joined(separator: ", ")))"
    case .emptyCalibration: "there are no samples to calibrate with (expected at least one)"
    case .notFinite(let value, let count):
      "\(count) elements of \"\(value)\" are NaN or infinite on the calibration samples; check "
        + "preprocessing and model"
    case .nothingToQuantize(let reason): "the network has nothing to quantize: \(reason)"
    case .alreadyQuantized(let node):
      "the network is quantized already (node \"\(node)\"); start from the float model"
    case .notIntegerOnly(let node, let reason):
      "node \"\(node)\" cannot be run in integers only: \(reason)"
    }
  }
}

extension QuantizationError {
  /// The error that a decoder has wrapped in its own, if it has.
  public init?(in error: any Error) {
    if let own = error as? QuantizationError {
      self = own
      return
    }
    guard case DecodingError.dataCorrupted(let context) = error,
      let inner = context.underlyingError
    else { return nil }
    self.init(in: inner)
  }
}
