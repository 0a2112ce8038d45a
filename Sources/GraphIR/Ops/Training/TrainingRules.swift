// SPDX-License-Identifier: Apache-2.0
import TensorCore

extension Op {
  /// Checks that an operand, where its type is known, is of a floating-point type and has the given
  /// dimensions.
  ///
  /// - Returns: What is known of the dimensions from both.
  /// - Throws: `OpError` naming the operand.
  @discardableResult
  func checkReals(
    _ type: TensorType?, _ name: String, like dimensions: [Dimension]?
  ) throws(OpError) -> [Dimension]? {
    try ElementTypeRule.floating.check(type, name)
    guard let found = type?.dimensions else { return dimensions }
    guard let dimensions else { return found }
    guard found.count == dimensions.count else {
      throw .invalidRank(input: name, found: found.count, expected: String(dimensions.count))
    }
    var merged: [Dimension] = []
    for (one, other) in zip(dimensions, found) {
      guard let common = Dimension.merged(one, other) else {
        throw .invalidShape(
          input: name, found: found.map { $0.value ?? -1 },
          expected: dimensions.map(\.description).joined(separator: "×"))
      }
      merged.append(common)
    }
    return merged
  }

  /// Checks that an operand holds one number.
  ///
  /// - Throws: `OpError` naming the operand.
  func checkScalar(
    _ type: TensorType?, _ name: String, _ rule: ElementTypeRule = .floating
  ) throws(OpError) {
    try rule.check(type, name)
    guard let shape = type?.shape, shape.reduce(1, *) != 1 else { return }
    throw .invalidShape(input: name, found: shape, expected: "a scalar")
  }
}

extension Tensor {
  /// The one number of a tensor that passed `checkScalar`.
  func scalarReal(_ name: String) throws(OpError) -> Double {
    guard count == 1, let value = reals().first else {
      throw .invalidShape(input: name, found: shape, expected: "a scalar")
    }
    return value
  }
}
