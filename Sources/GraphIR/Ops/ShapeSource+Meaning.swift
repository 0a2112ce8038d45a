// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension Shape {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    let rank = try operands.required(0, "data").type?.rank
    return [TensorType(.int64, [rank.map { .fixed(range(rank: $0).count) } ?? .unknown])]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    operands.optional(0)?.dimensions.map { Array($0[range(rank: $0.count)]) }
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    try inputs.checkCount(1...1)
    let shape = try inputs.required(0, "data").shape
    let part = shape[range(rank: shape.count)]
    return [Tensor(part.map { Int64($0) }, shape: [part.count])]
  }

  /// The axes that are told, clamped to those there are.
  private func range(rank: Int) -> Swift.Range<Int> {
    let first = clamped(start, rank)
    return first..<max(first, clamped(end ?? rank, rank))
  }

  private func clamped(_ axis: Int, _ rank: Int) -> Int {
    min(max(axis < 0 ? axis + rank : axis, 0), rank)
  }
}

extension Size {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    return [TensorType(.int64, [])]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    operands.optional(0)?.dimensions.map { [Dimension.product($0)] }
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    try inputs.checkCount(1...1)
    let data = try inputs.required(0, "data")
    let count = try ResultLimit.check(data.shape, data.elementType)
    return [Tensor(scalar: Int64(count))]
  }
}

extension ConstantOfShape {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    guard value.count == 1 else {
      throw .invalidAttribute(name: "value", found: "\(value.shape)", expected: "one element")
    }
    let input = try operands.required(0, "input")
    guard let shape = try input.checkedContents("input") else {
      let rank = input.dimensions?.first?.value
      let open = rank.flatMap { $0 >= 0 && $0 <= Operand.contentsLimit ? $0 : nil }
      return [TensorType(value.elementType, open.map { Array(repeating: .unknown, count: $0) })]
    }
    guard shape.allSatisfy({ $0.value ?? 0 >= 0 }) else {
      throw .invalidValue(input: "input", found: "\(shape)", expected: "no negative extents")
    }
    return [TensorType(value.elementType, shape)]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    guard let shape = operands.optional(0)?.knownIntegers, shape.count <= 1,
      let element = Operand(value).knownContents?.first
    else { return nil }
    let count = shape.first ?? 1
    guard count >= 0, count <= Operand.contentsLimit else { return nil }
    return Array(repeating: element, count: count)
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    let count = result.shape.reduce(1, *)
    let buffer = ElementBuffer(
      result.elementType, count: count, filledWith: ElementBuffer(value))
    return [buffer.tensor(shape: result.shape)]
  }
}

extension NumberRange {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...3)
    var elementType: ElementType?
    for (index, name) in ["start", "limit", "delta"].enumerated() {
      guard let type = try operands.required(index, name).type else { continue }
      let found = type.elementType
      guard found.bitWidth >= 16, elementType ?? found == found else {
        throw .invalidElementType(
          input: name, found: found, expected: elementType?.rawValue ?? "a numeric type")
      }
      if let shape = type.shape, shape != [], shape != [1] {
        throw .invalidShape(input: name, found: shape, expected: "a scalar")
      }
      elementType = found
    }
    guard let elementType else { return [nil] }
    return [TensorType(elementType, [try length(operands, elementType)])]
  }

  private func length(
    _ operands: [Operand?], _ elementType: ElementType
  ) throws(OpError) -> Dimension {
    if elementType.isFloatingPoint {
      let numbers = operands.compactMap { $0?.constant?.reals().first }
      guard numbers.count == 3 else { return .unknown }
      let steps = ((numbers[1] - numbers[0]) / numbers[2]).rounded(.up)
      if steps > 1e15 { throw .tooLarge(shape: [Int.max]) }
      guard numbers[2] != 0, !steps.isNaN else { throw invalidDelta }
      return .fixed(max(0, Int(exactly: steps) ?? 0))
    }
    let scalars = operands.compactMap { $0?.knownContents?.first }
    guard scalars.count == 3 else { return .unknown }
    if scalars[2] == .fixed(0) { throw invalidDelta }
    let distance = scalars[1] - scalars[0]
    guard let span = distance.value, let delta = scalars[2].value else {
      return scalars[2] == .fixed(1) ? distance : .unknown
    }
    if span == 0 || (span < 0) != (delta < 0) { return .fixed(0) }
    let steps = (span.magnitude - 1) / delta.magnitude
    guard steps < 1 << 60 else { throw .tooLarge(shape: [Int.max]) }
    return .fixed(Int(steps) + 1)
  }

  private var invalidDelta: OpError {
    .invalidValue(input: "delta", found: "0", expected: "a number other than 0")
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    let numbers = operands.compactMap { $0?.knownContents?.first?.value }
    guard numbers.count == 3, let elementType = operands.optional(0)?.type?.elementType,
      !elementType.isFloatingPoint,
      let count = (try? length(operands, elementType))?.value, count <= Operand.contentsLimit
    else { return nil }
    return (0..<count).map { .fixed(numbers[0] + $0 * numbers[2]) }
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    let start = try inputs.required(0, "start")
    let delta = try inputs.required(2, "delta")
    let count = result.shape.reduce(1, *)
    if result.elementType.isFloatingPoint {
      let (first, step) = (start.reals().first ?? 0, delta.reals().first ?? 0)
      let values = (0..<count).map { first + Double($0) * step }
      return [Tensor(reals: values, shape: result.shape, elementType: result.elementType)]
    }
    let (first, step) = (start.integers().first ?? 0, delta.integers().first ?? 0)
    let values = (0..<count).map { first &+ Int64($0) &* step }
    return [Tensor(integers: values, shape: result.shape, elementType: result.elementType)]
  }
}
