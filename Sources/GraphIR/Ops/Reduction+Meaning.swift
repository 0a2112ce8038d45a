// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

extension Reduce {
  private var types: ElementTypeRule {
    guard function == .maximum || function == .minimum else { return .arithmetic }
    return ElementTypeRule(
      name: "a floating-point type, an integer type of 8, 32 or 64 bits, or bool",
      types: ElementTypeRule.arithmetic.types.union([.int8, .uint8, .bool]))
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...2)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "data").type
    try types.check(x, "data")
    let operand = operands.optional(1)
    if operand != nil { try ElementTypeRule.only(.int64).check(operand?.type, "axes") }
    if let rank = operand?.type?.rank, rank != 1 {
      throw .invalidRank(input: "axes", found: rank, expected: "1")
    }
    guard let x, let dimensions = x.dimensions else { return [x] }
    let known = operand == nil ? [] : operand?.constant?.integers().map { Int($0) }
    let isEmpty = operand?.type?.shape == [0]
    guard let given = isEmpty ? [] : known else {
      let unknown = [Dimension](repeating: .unknown, count: dimensions.count)
      return [TensorType(x.elementType, keepsDimensions ? unknown : nil)]
    }
    let reduced = Set(try reducedAxes(given, rank: dimensions.count))
    let result = dimensions.enumerated().compactMap { axis, dimension -> Dimension? in
      guard reduced.contains(axis) else { return dimension }
      return keepsDimensions ? .fixed(1) : nil
    }
    return [TensorType(x.elementType, result)]
  }

  private func reducedAxes(_ axes: [Int], rank: Int) throws(OpError) -> [Int] {
    if axes.isEmpty { return emptyAxesMeanNone ? [] : Array(0..<rank) }
    return try Axes.normalized(axes, rank: rank)
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let x = try inputs.required(0, "data")
    let axes = inputs.optional(1)?.integers().map { Int($0) } ?? []
    if axes.isEmpty, emptyAxesMeanNone, function.keepsSingleElements { return [x] }
    let reduced = Set(try reducedAxes(axes, rank: x.rank))
    let groups = ReducedGroups(x.shape, reduced: reduced)
    if elementType.isFloatingPoint {
      let reals = groups.reduce(x.reals()) { function.reduced($0) }
      return [Tensor(reals: reals, shape: shape, elementType: elementType)]
    }
    let integers = groups.reduce(x.integers()) { function.reduced($0, as: elementType) }
    return [Tensor(integers: integers, shape: shape, elementType: elementType)]
  }
}

/// A tensor's elements in groups that a reduction makes one element each.
struct ReducedGroups {
  private let starts: [Int]
  private let offsets: [Int]

  init(_ shape: [Int], reduced: Set<Int>) {
    let strides = Tensor.strides(of: shape)
    let isGroupEmpty = reduced.contains { shape[$0] == 0 }
    var starts = [0]
    var offsets = isGroupEmpty ? [] : [0]
    if shape.indices.contains(where: { shape[$0] == 0 && !reduced.contains($0) }) {
      (starts, offsets) = ([], [])
    }
    for (axis, extent) in shape.enumerated() {
      let step = strides[axis]
      if reduced.contains(axis) {
        offsets = offsets.flatMap { offset in (0..<extent).map { offset + $0 * step } }
      } else {
        starts = starts.flatMap { start in (0..<extent).map { start + $0 * step } }
      }
    }
    self.starts = starts
    self.offsets = offsets
  }

  /// One result per group, in row-major order of what remains.
  func reduce<Number>(_ elements: [Number], _ body: ([Number]) -> Number) -> [Number] {
    var group: [Number] = []
    group.reserveCapacity(offsets.count)
    return starts.map { start in
      group.removeAll(keepingCapacity: true)
      for offset in offsets { group.append(elements[start &+ offset]) }
      return body(group)
    }
  }
}

extension Reduce.Function {
  /// Whether a group of one element reduces to that element.
  fileprivate var keepsSingleElements: Bool {
    switch self {
    case .maximum, .mean, .minimum, .product, .sum: true
    case .l1, .l2, .logSum, .logSumExp, .sumOfSquares: false
    }
  }

  fileprivate func reduced(_ values: [Double]) -> Double {
    var result = 0.0
    switch self {
    case .sum, .mean, .logSum:
      for value in values { result += value }
      if self == .mean { result /= Double(values.count) }
      return self == .logSum ? log(result) : result
    case .l1:
      for value in values { result += abs(value) }
      return result
    case .l2, .sumOfSquares:
      for value in values { result += value * value }
      return self == .l2 ? result.squareRoot() : result
    case .product: return values.reduce(1, *)
    case .maximum: return Self.greatest(values, 1)
    case .minimum: return -Self.greatest(values, -1)
    case .logSumExp:
      let greatest = Self.greatest(values, 1)
      guard greatest.isFinite else { return greatest }
      for value in values { result += exp(value - greatest) }
      return greatest + log(result)
    }
  }

  /// The greatest of the values times `sign`; NaN if there is one, −∞ if there are no values.
  private static func greatest(_ values: [Double], _ sign: Double) -> Double {
    var result = -Double.infinity
    for value in values {
      if value.isNaN { return value }
      result = Swift.max(result, sign * value)
    }
    return result
  }

  /// The reduction of integers: sums wrap, and what is no integer is truncated toward zero.
  fileprivate func reduced(_ values: [Int64], as type: ElementType) -> Int64 {
    let isUnsigned64 = type == .uint64
    // Flipping the sign bit orders the bit patterns of unsigned integers as signed ones.
    let flip = isUnsigned64 ? Int64.min : 0
    let range = type.integerRange ?? 0...0
    switch self {
    case .sum: return values.reduce(0, &+)
    case .product: return values.reduce(1, &*)
    case .sumOfSquares: return values.reduce(0) { $0 &+ $1 &* $1 }
    case .l1: return values.reduce(0) { $0 &+ (isUnsigned64 || $1 >= 0 ? $1 : 0 &- $1) }
    case .maximum:
      return values.reduce(range.lowerBound) {
        ($0 ^ flip) < ($1 ^ flip) ? $1 : $0
      }
    case .minimum:
      return values.reduce(isUnsigned64 ? -1 : range.upperBound) {
        ($1 ^ flip) < ($0 ^ flip) ? $1 : $0
      }
    case .mean:
      guard !values.isEmpty else { return 0 }
      let sum = values.reduce(0, &+)
      if isUnsigned64 {
        return Int64(bitPattern: UInt64(bitPattern: sum) / UInt64(values.count))
      }
      return sum / Int64(values.count)
    case .l2, .logSum, .logSumExp:
      let reals = values.map { isUnsigned64 ? Double(UInt64(bitPattern: $0)) : Double($0) }
      let real = reduced(reals)
      return Tensor(reals: [real], shape: [1], elementType: type).integers().first ?? 0
    }
  }
}

extension ArgExtreme {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "data").type
    let numbers = ElementTypeRule(
      name: "a number type", types: Set(ElementType.allCases).subtracting([.bool]))
    try numbers.check(x, "data")
    guard var dimensions = x?.dimensions else { return [TensorType(.int64, nil)] }
    let axis = try Axes.normalized(axis, rank: dimensions.count)
    guard dimensions[axis] != .fixed(0) else {
      throw .invalidShape(
        input: "data", found: x?.shape ?? [], expected: "one or more elements along axis \(axis)")
    }
    dimensions[axis] = .fixed(1)
    if !keepsDimensions { dimensions.remove(at: axis) }
    return [TensorType(.int64, dimensions)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let shape = results[0].shape
    let x = try inputs.required(0, "data")
    let groups = ReducedGroups(
      x.shape, reduced: [try Axes.normalized(axis, rank: x.rank)])
    let indices: [Int64]
    if x.elementType.isFloatingPoint {
      indices = groups.places(x.reals()) { best, value in
        if best.isNaN { return selectsLast && value.isNaN }
        return value.isNaN || (isMaximum ? value > best : value < best)
          || (selectsLast && value == best)
      }
    } else {
      let flip = x.elementType == .uint64 ? Int64.min : 0
      indices = groups.places(x.integers().map { $0 ^ flip }) { best, value in
        (isMaximum ? value > best : value < best) || (selectsLast && value == best)
      }
    }
    return [Tensor(indices, shape: shape)]
  }
}

extension ReducedGroups {
  /// The place in each group of the element that no later one beats.
  fileprivate func places<Number>(
    _ elements: [Number], beats: (_ best: Number, _ value: Number) -> Bool
  ) -> [Int64] {
    starts.map { start in
      var place = 0
      for (position, offset) in offsets.enumerated().dropFirst()
      where beats(elements[start + offsets[place]], elements[start + offset]) {
        place = position
      }
      return Int64(place)
    }
  }
}
