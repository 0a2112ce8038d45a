// SPDX-License-Identifier: Apache-2.0
package import TensorCore

extension Array {
  /// The operand at a position that the operator requires.
  ///
  /// - Throws: `OpError.missingInput` if the list is shorter or the operand is left out.
  package func required<Wrapped>(
    _ index: Int, _ name: String
  ) throws(OpError) -> Wrapped where Element == Wrapped? {
    guard index < count, let operand = self[index] else { throw .missingInput(name: name) }
    return operand
  }

  /// The operand at a position; `nil` if it is left out or the list is shorter.
  package func optional<Wrapped>(_ index: Int) -> Wrapped? where Element == Wrapped? {
    index < count ? self[index] : nil
  }

  /// Checks how many operands are given, left-out ones included.
  ///
  /// - Throws: `OpError.wrongInputCount`.
  package func checkCount(_ expected: ClosedRange<Int>) throws(OpError) {
    guard expected.contains(count) else {
      throw .wrongInputCount(found: count, expected: expected)
    }
  }
}

/// The largest result that the reference meaning of an operator makes.
package enum ResultLimit {
  package static let byteCount = 1 << 34

  /// The number of elements of a result.
  ///
  /// - Throws: `OpError.tooLarge` if it would take more than `byteCount` bytes, an extent is
  ///   negative, or the product of the extents other than zero overflows.
  @discardableResult
  package static func check(_ shape: [Int], _ elementType: ElementType) throws(OpError) -> Int {
    var product = 1
    for extent in shape where extent != 0 {
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      guard extent > 0, !overflow, next < Int.max / 64 else { throw .tooLarge(shape: shape) }
      product = next
    }
    if shape.contains(0) { return 0 }
    guard elementType.byteCount(of: product) <= byteCount else { throw .tooLarge(shape: shape) }
    return product
  }
}

extension Operand {
  /// All that is known of a tensor at hand.
  package init(_ tensor: Tensor) {
    self.init(
      type: TensorType(tensor.elementType, shape: tensor.shape), constant: tensor, contents: nil)
  }
}

extension Op {
  /// Types of the results on the given tensors; tensors and results are checked against
  /// `ResultLimit`, so that products of their extents do not overflow.
  ///
  /// - Throws: What `inferTypes` throws, and `OpError.tooLarge`.
  @discardableResult
  package func resultTypes(
    _ inputs: [Tensor?], outputCount: Int
  ) throws(OpError) -> [(elementType: ElementType, shape: [Int])] {
    for case .some(let input) in inputs { try ResultLimit.check(input.shape, input.elementType) }
    let operands = inputs.map { $0.map { Operand($0) } }
    var results: [(elementType: ElementType, shape: [Int])] = []
    for type in try inferTypes(operands, outputCount: outputCount) {
      guard let type, let shape = type.shape else { throw .notEvaluable(kind: kind) }
      try ResultLimit.check(shape, type.elementType)
      results.append((type.elementType, shape))
    }
    return results
  }

  /// The results themselves where they have no elements; `nil` if one has some.
  ///
  /// Their other extents may be beyond any loop, so nothing should be computed for them.
  package func emptyResults(
    _ types: [(elementType: ElementType, shape: [Int])]
  ) -> [Tensor]? {
    guard types.allSatisfy({ $0.shape.contains(0) }) else { return nil }
    return types.map { Tensor(zerosOf: $0.elementType, shape: $0.shape) }
  }

  /// Checks how many outputs a node has.
  ///
  /// - Throws: `OpError.invalidAttribute`.
  package func checkOutputCount(_ found: Int, _ expected: ClosedRange<Int>) throws(OpError) {
    guard expected.contains(found) else {
      throw .invalidAttribute(
        name: "number of outputs", found: String(found),
        expected: expected.count == 1
          ? String(expected.lowerBound) : "\(expected.lowerBound)…\(expected.upperBound)")
    }
  }
}
