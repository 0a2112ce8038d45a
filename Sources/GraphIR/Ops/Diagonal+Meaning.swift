// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension Trilu {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...2)
    let type = try operands.required(0, "input").type
    if let rank = type?.rank, rank < 2 {
      throw .invalidRank(input: "input", found: rank, expected: "at least 2")
    }
    if let offset = operands.optional(1) {
      _ = try offset.checkedIntegers("k")
      if let count = offset.knownCount, count != 1 {
        throw .invalidShape(input: "k", found: offset.type?.shape ?? [count], expected: "a scalar")
      }
    }
    return [type]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    _ = try resultTypes(inputs, outputCount: outputCount)
    let input = try inputs.required(0, "input")
    let offset = Int(inputs.optional(1)?.integers().first ?? 0)
    let (rows, columns) = (input.shape[input.rank - 2], input.shape[input.rank - 1])
    let source = ElementBuffer(input)
    var buffer = ElementBuffer(input.elementType, count: source.count)
    let mask = (0..<source.count).map { position -> UInt8 in
      let distance = position % columns - position / columns % rows
      return (isUpper ? distance >= offset : distance <= offset) ? 1 : 0
    }
    buffer.replace(where: mask, with: source)
    return [buffer.tensor(shape: input.shape)]
  }
}

extension EyeLike {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    let type = try operands.required(0, "input").type
    if let rank = type?.rank, rank != 2 {
      throw .invalidRank(input: "input", found: rank, expected: "2")
    }
    guard let result = elementType ?? type?.elementType else { return [nil] }
    return [TensorType(result, type?.dimensions ?? [.unknown, .unknown])]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    let (rows, columns) = (result.shape[0], result.shape[1])
    var values = [Int64](repeating: 0, count: rows * columns)
    for row in 0..<(columns == 0 ? 0 : rows) {
      let (column, overflow) = row.addingReportingOverflow(offset)
      if !overflow, column >= 0, column < columns { values[row * columns + column] = 1 }
    }
    return [Tensor(integers: values, shape: result.shape, elementType: result.elementType)]
  }
}

extension NonZero {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    let operand = try operands.required(0, "X")
    let rank = operand.type?.rank.map { Dimension.fixed($0) } ?? .unknown
    let count = operand.constant.map { Dimension.fixed(NonZero.positions(of: $0).count) }
    return [TensorType(.int64, [rank, count ?? .unknown])]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    let x = try inputs.required(0, "X")
    let positions = NonZero.positions(of: x)
    var columns: [Int64] = []
    columns.reserveCapacity(result.shape.reduce(1, *))
    for (extent, stride) in zip(x.shape, Tensor.strides(of: x.shape)) {
      for position in positions { columns.append(Int64(position / stride % extent)) }
    }
    return [Tensor(columns, shape: result.shape)]
  }

  /// The linear positions of the elements that are not zero.
  private static func positions(of tensor: Tensor) -> [Int] {
    tensor.elementType.isFloatingPoint
      ? tensor.reals().enumerated().filter { $0.element != 0 }.map(\.offset)
      : tensor.integers().enumerated().filter { $0.element != 0 }.map(\.offset)
  }
}
