// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension TopK {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...2)
    let count = try operands.required(1, "K")
    if let found = count.knownCount, found != 1 {
      throw .invalidShape(input: "K", found: count.type?.shape ?? [found], expected: "[1]")
    }
    let extent = try count.checkedContents("K")?.first ?? .unknown
    guard extent.value ?? 0 >= 0 else {
      throw .invalidValue(input: "K", found: "\(extent)", expected: "0 or more")
    }
    guard let type = try operands.required(0, "X").type else {
      return Array(repeating: nil, count: outputCount)
    }
    guard type.elementType != .bool else {
      throw .invalidElementType(input: "X", found: .bool, expected: "a numeric type")
    }
    var dimensions = type.dimensions
    if let known = dimensions {
      let axis = try Axes.normalized(axis, rank: known.count)
      if let limit = known[axis].value, let count = extent.value, count > limit {
        throw .invalidValue(input: "K", found: "\(count)", expected: "at most \(limit)")
      }
      dimensions?[axis] = extent
    }
    let types = [TensorType(type.elementType, dimensions), TensorType(.int64, dimensions)]
    return Array(types.prefix(outputCount))
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let shape = try resultTypes(inputs, outputCount: outputCount)[0].shape
    let x = try inputs.required(0, "X")
    try ResultLimit.check(x.shape, x.elementType)
    let axis = try Axes.normalized(axis, rank: x.rank)
    let rows = AxisRows(x.shape, axis: axis)
    let order: ([Int]) -> [Int]
    if x.elementType.isFloatingPoint {
      let keys = x.reals().map { selectsLargest ? -$0 : $0 }
      order = { $0.sorted { TopK.precedes(keys[$0], keys[$1]) ?? ($0 < $1) } }
    } else {
      // Flipping the highest bit puts unsigned numbers in the order of signed ones; flipping
      // all turns the order round.
      let flip = (x.elementType == .uint64 ? Int64.min : 0) ^ (selectsLargest ? -1 : 0)
      let keys = x.integers().map { $0 ^ flip }
      order = { $0.sorted { (keys[$0], $0) < (keys[$1], $1) } }
    }
    var positions = [Int](repeating: 0, count: shape.reduce(1, *))
    let places = AxisRows(shape, axis: axis)
    for row in 0..<places.count {
      let ranked = order(rows.positions(row))
      for (rank, position) in places.positions(row).enumerated() {
        positions[position] = ranked[rank]
      }
    }
    let loop = MoveAxis(
      extent: positions.count, sourceStride: 0, targetStride: 1, sourceOffsets: positions)
    let values = try x.moved(to: shape, along: [loop])
    if outputCount == 1 { return [values] }
    let indices = positions.map { Int64(rows.index(of: $0)) }
    return [values, Tensor(indices, shape: shape)]
  }

  /// Whether one key comes before another; NaN comes last, `nil` if neither comes first.
  private static func precedes(_ left: Double, _ right: Double) -> Bool? {
    if left.isNaN || right.isNaN { return left.isNaN == right.isNaN ? nil : right.isNaN }
    return left == right ? nil : left < right
  }
}

extension CumSum {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    let type = try operands.required(0, "x").type
    if type?.elementType == .bool {
      throw .invalidElementType(input: "x", found: .bool, expected: "a numeric type")
    }
    let axis = try operands.required(1, "axis")
    if let count = axis.knownCount, count != 1 {
      throw .invalidShape(input: "axis", found: axis.type?.shape ?? [count], expected: "a scalar")
    }
    if let rank = type?.rank, let axis = try axis.checkedIntegers("axis")?.first {
      _ = try Axes.normalized(axis, rank: rank)
    }
    return [type]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    _ = try resultTypes(inputs, outputCount: outputCount)
    let x = try inputs.required(0, "x")
    let axis = Int(try inputs.required(1, "axis").integers().first ?? 0)
    let rows = AxisRows(x.shape, axis: try Axes.normalized(axis, rank: x.rank))
    if x.elementType.isFloatingPoint {
      let sums =
        multiplies ? summed(x.reals(), rows, zero: 1, *) : summed(x.reals(), rows, zero: 0, +)
      return [Tensor(reals: sums, shape: x.shape, elementType: x.elementType)]
    }
    let sums =
      multiplies
      ? summed(x.integers(), rows, zero: 1, &*) : summed(x.integers(), rows, zero: 0, &+)
    return [Tensor(integers: sums, shape: x.shape, elementType: x.elementType)]
  }

  private func summed<Number>(
    _ values: [Number], _ rows: AxisRows, zero: Number, _ add: (Number, Number) -> Number
  ) -> [Number] {
    var result = values
    for row in 0..<rows.count {
      var sum = zero
      let positions = rows.positions(row)
      for position in isReversed ? positions.reversed() : positions {
        let next = add(sum, values[position])
        result[position] = isExclusive ? sum : next
        sum = next
      }
    }
    return result
  }
}

/// The rows of a row-major tensor along one axis.
private struct AxisRows {
  private let length: Int
  private let stride: Int
  /// The number of rows; 0 if the tensor has no elements.
  let count: Int

  init(_ shape: [Int], axis: Int) {
    length = shape[axis]
    stride = shape[(axis + 1)...].reduce(1, *)
    count = length == 0 ? 0 : shape[..<axis].reduce(1, *) * stride
  }

  /// The linear positions of a row's elements.
  func positions(_ row: Int) -> [Int] {
    let start = row / stride * stride * length + row % stride
    return (0..<length).map { start + $0 * stride }
  }

  /// The index along the axis of a linear position.
  func index(of position: Int) -> Int { position / stride % length }
}
