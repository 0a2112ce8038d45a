// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with the parts that a tensor is made of.
public enum TensorError: Error, Equatable, Sendable, CustomStringConvertible {
  case negativeDimension(shape: [Int])
  case tooManyElements(shape: [Int])
  case byteCountMismatch(expected: Int, actual: Int, elementType: ElementType, shape: [Int])
  case elementCountMismatch(from: [Int], to: [Int])

  public var description: String {
    switch self {
    case .negativeDimension(let shape):
      "shape \(shape) has a negative dimension (expected 0 or more)"
    case .tooManyElements(let shape):
      "shape \(shape) has more elements than memory can address"
    case .byteCountMismatch(let expected, let actual, let elementType, let shape):
      "a \(elementType.rawValue) tensor of shape \(shape) takes \(expected) bytes, \(actual) given"
    case .elementCountMismatch(let from, let to):
      "shape \(from) cannot become \(to): the numbers of elements differ"
    }
  }
}
