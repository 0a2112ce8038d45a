// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension Reshape {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    let data = try operands.required(0, "data")
    let shape = try operands.required(1, "shape")
    let target = try shape.checkedContents("shape")
    guard let type = data.type else { return [nil] }
    guard let target else {
      let rank = shape.dimensions?.first?.value
      let open = rank.flatMap { $0 >= 0 && $0 <= Operand.contentsLimit ? $0 : nil }
      return [TensorType(type.elementType, open.map { Array(repeating: .unknown, count: $0) })]
    }
    var result = try ReshapeTarget(target, allowsZero: allowsZero)
    return [TensorType(type.elementType, try result.resolved(from: type.dimensions))]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    operands.optional(0)?.knownContents
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    return [try inputs.required(0, "data").viewed(as: result.shape)]
  }
}

/// The new shape that a reshape asks for, and the solution for the extent that it leaves open.
private struct ReshapeTarget {
  private let allowsZero: Bool
  private let target: [Dimension]
  private var result: [Dimension]
  /// The position of −1.
  private var inferred: Int?

  init(_ target: [Dimension], allowsZero: Bool) throws(OpError) {
    self.target = target
    self.allowsZero = allowsZero
    result = target
    for (axis, extent) in target.enumerated() {
      guard let value = extent.value, value < 0 else { continue }
      guard value == -1, inferred == nil else {
        throw .invalidValue(
          input: "shape", found: "\(target)", expected: "positive extents and at most one -1")
      }
      inferred = axis
    }
    if allowsZero, inferred != nil, target.contains(.fixed(0)) {
      throw .invalidValue(input: "shape", found: "\(target)", expected: "no -1 beside a 0")
    }
  }

  /// The extents of the result for data of the given dimensions.
  ///
  /// Factors that occur on both sides cancel, symbols and copied extents too; what remains of
  /// the data is the extent that is left open.
  mutating func resolved(from data: [Dimension]?) throws(OpError) -> [Dimension] {
    var rest = data ?? [.unknown]
    var copied = Set<Int>()
    for axis in target.indices where target[axis] == .fixed(0) && !allowsZero {
      guard let data else {
        result[axis] = .unknown
        continue
      }
      guard axis < data.count else {
        throw .invalidValue(
          input: "shape", found: "\(target)", expected: "a 0 only at one of the \(data.count) axes")
      }
      result[axis] = data[axis]
      rest[axis] = .fixed(1)
      copied.insert(axis)
    }
    var known = Dimension.fixed(1)
    var open: [Int] = []
    for axis in target.indices where !copied.contains(axis) && axis != inferred {
      if case .symbol = result[axis], let match = rest.firstIndex(of: result[axis]) {
        rest[match] = .fixed(1)
      } else if result[axis].value != nil {
        known = known * result[axis]
      } else {
        open.append(axis)
      }
    }
    try solve(rest: rest, known: known, open: open)
    return result
  }

  private mutating func solve(
    rest: [Dimension], known: Dimension, open: [Int]
  ) throws(OpError) {
    let remaining = Dimension.product(rest)
    if let inferred {
      guard open.isEmpty else { return result[inferred] = .unknown }
      let quotient = quotient(rest, by: known)
      if quotient == nil {
        throw .invalidValue(
          input: "shape", found: "\(target)",
          expected: "extents whose product divides \(remaining)")
      }
      result[inferred] = quotient ?? .unknown
    } else if open.count == 1 {
      result[open[0]] =
        Dimension.merged(result[open[0]], quotient(rest, by: known) ?? .unknown)
        ?? .unknown
    } else if open.isEmpty, let found = remaining.value, let known = known.value, found != known {
      throw .invalidValue(
        input: "shape", found: "\(target)", expected: "extents whose product is \(found)")
    }
  }

  /// The quotient of what remains by what is known; `nil` if there is none.
  private func quotient(_ rest: [Dimension], by known: Dimension) -> Dimension? {
    let numbers = Dimension.product(rest.filter { $0.value != nil })
    let names = rest.filter { $0.value == nil }
    guard let numerator = numbers.value, let divisor = known.value else { return .unknown }
    guard divisor != 0 else { return names.isEmpty ? nil : .unknown }
    let factor = Dimension.fixed(numerator) / known
    if names.isEmpty { return numerator % divisor == 0 ? factor : nil }
    return names.count == 1 && numerator == divisor ? names[0] : .unknown
  }
}

extension Flatten {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    guard let type = try operands.required(0, "input").type else { return [nil] }
    guard let dimensions = type.dimensions else {
      return [TensorType(type.elementType, [.unknown, .unknown])]
    }
    let axis = try Axes.normalized(axis, rank: dimensions.count, includesEnd: true)
    let rows = Dimension.product(dimensions[..<axis])
    let columns = Dimension.product(dimensions[axis...])
    return [TensorType(type.elementType, [rows, columns])]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    operands.optional(0)?.knownContents
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    return [try inputs.required(0, "input").viewed(as: result.shape)]
  }
}

extension Squeeze {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...2)
    let axes = try operands.optional(1)?.checkedIntegers("axes")
    guard let type = try operands.required(0, "data").type else { return [nil] }
    guard let dimensions = type.dimensions else { return [TensorType(type.elementType, nil)] }
    guard operands.optional(1) == nil || axes != nil else {
      return [TensorType(type.elementType, nil)]
    }
    guard let axes else {
      let isKnown = dimensions.allSatisfy { $0.value != nil }
      let kept = isKnown ? dimensions.filter { $0 != .fixed(1) } : nil
      return [TensorType(type.elementType, kept)]
    }
    let removed = Set(try Axes.normalized(axes, rank: dimensions.count))
    for axis in removed.sorted() where dimensions[axis].value ?? 1 != 1 {
      throw .invalidShape(
        input: "data", found: dimensions.map { $0.value ?? -1 }, expected: "1 at axis \(axis)")
    }
    let kept = dimensions.indices.filter { !removed.contains($0) }.map { dimensions[$0] }
    return [TensorType(type.elementType, kept)]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    operands.optional(0)?.knownContents
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    return [try inputs.required(0, "data").viewed(as: result.shape)]
  }
}

extension Unsqueeze {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    let list = try operands.required(1, "axes")
    let axes = try list.checkedIntegers("axes")
    guard let type = try operands.required(0, "data").type else { return [nil] }
    guard let dimensions = type.dimensions, let axes else {
      return [TensorType(type.elementType, nil)]
    }
    let rank = dimensions.count + axes.count
    let inserted = Set(try Axes.normalized(axes, rank: rank))
    var rest = dimensions[...]
    let result = (0..<rank).map { axis in
      inserted.contains(axis) ? .fixed(1) : rest.popFirst() ?? .unknown
    }
    return [TensorType(type.elementType, result)]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    operands.optional(0)?.knownContents
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    return [try inputs.required(0, "data").viewed(as: result.shape)]
  }
}
