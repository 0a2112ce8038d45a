// SPDX-License-Identifier: Apache-2.0
import TensorCore

// Arithmetic as far as it is known: numbers with numbers, and symbols with 0 and 1. What does
// not fit in an `Int` is unknown.
extension Dimension {
  package static func + (left: Dimension, right: Dimension) -> Dimension {
    switch (left, right) {
    case (.fixed(0), let other), (let other, .fixed(0)): other
    case (.fixed(let left), .fixed(let right)): Dimension(left.addingReportingOverflow(right))
    default: .unknown
    }
  }

  package static func - (left: Dimension, right: Dimension) -> Dimension {
    switch (left, right) {
    case (let other, .fixed(0)): other
    case (.fixed(let left), .fixed(let right)): Dimension(left.subtractingReportingOverflow(right))
    case (.symbol(let left), .symbol(let right)) where left == right: .fixed(0)
    default: .unknown
    }
  }

  package static func * (left: Dimension, right: Dimension) -> Dimension {
    switch (left, right) {
    case (.fixed(0), _), (_, .fixed(0)): .fixed(0)
    case (.fixed(1), let other), (let other, .fixed(1)): other
    case (.fixed(let left), .fixed(let right)):
      Dimension(left.multipliedReportingOverflow(by: right))
    default: .unknown
    }
  }

  /// The quotient truncated toward zero.
  package static func / (left: Dimension, right: Dimension) -> Dimension {
    switch (left, right) {
    case (_, .fixed(0)): .unknown
    case (let other, .fixed(1)): other
    case (.fixed(let left), .fixed(let right)): Dimension(left.dividedReportingOverflow(by: right))
    default: .unknown
    }
  }

  private init(_ result: (partialValue: Int, overflow: Bool)) {
    self = result.overflow ? .unknown : .fixed(result.partialValue)
  }

  /// The number of elements of a tensor with these extents.
  package static func product(_ dimensions: some Sequence<Dimension>) -> Dimension {
    dimensions.reduce(.fixed(1), *)
  }

  /// What is known of an extent of which two things are known; `nil` if they contradict.
  package static func merged(_ left: Dimension, _ right: Dimension) -> Dimension? {
    switch (left, right) {
    case (.fixed(let a), .fixed(let b)): a == b ? left : nil
    case (.fixed, _), (_, .unknown): left
    case (_, .fixed), (.unknown, _): right
    case (.symbol, .symbol): left
    }
  }
}

extension Operand {
  /// Most elements of a constant that count as the description of a shape.
  package static let contentsLimit = 1024

  /// The elements as extents, also those of a small constant; elements that are no integers are
  /// unknown.
  package var knownContents: [Dimension]? {
    if let contents { return contents }
    guard let constant, constant.count <= Operand.contentsLimit else { return nil }
    guard constant.elementType.isFloatingPoint else {
      return constant.integers().map { .fixed(Int($0)) }
    }
    return constant.reals().map { real in Int(exactly: real).map { .fixed($0) } ?? .unknown }
  }

  /// The elements as numbers, where all are known.
  package var knownIntegers: [Int]? {
    if let constant { return constant.integers().map { Int($0) } }
    guard let contents else { return nil }
    let values = contents.compactMap(\.value)
    return values.count == contents.count ? values : nil
  }

  package var dimensions: [Dimension]? { type?.dimensions }

  /// The number of elements, where it is known.
  package var knownCount: Int? {
    contents?.count ?? constant?.count ?? dimensions.flatMap { Dimension.product($0).value }
  }

  /// The elements of an operand that lists extents, axes or positions.
  ///
  /// - Returns: `nil` where they are not known.
  /// - Throws: `OpError` if the operand is no vector of integers.
  package func checkedContents(_ name: String) throws(OpError) -> [Dimension]? {
    try checkIsIndexList(name)
    return contents ?? knownIntegers?.map { .fixed($0) }
  }

  /// As `checkedContents`, but only where every element is a number.
  package func checkedIntegers(_ name: String) throws(OpError) -> [Int]? {
    try checkIsIndexList(name)
    return knownIntegers
  }

  private func checkIsIndexList(_ name: String) throws(OpError) {
    guard let type else { return }
    guard type.elementType == .int64 || type.elementType == .int32 else {
      throw .invalidElementType(input: name, found: type.elementType, expected: "int64 or int32")
    }
    if let rank = type.rank, rank > 1 {
      throw .invalidRank(input: name, found: rank, expected: "1")
    }
  }
}

extension Tensor {
  /// The same elements under another shape.
  ///
  /// - Throws: `OpError.invalidShape` if the numbers of elements differ.
  func viewed(as newShape: [Int]) throws(OpError) -> Tensor {
    guard try ResultLimit.check(newShape, elementType) == count else {
      throw .invalidShape(input: "data", found: shape, expected: "as many elements as \(newShape)")
    }
    return Tensor(uncheckedElementType: elementType, shape: newShape, bytes: bytes)
  }
}
