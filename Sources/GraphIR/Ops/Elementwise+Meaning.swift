// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension Clip {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...3)
    let type = try operands.required(0, "X").type
    if let type, type.elementType == .bool {
      throw .invalidElementType(input: "X", found: .bool, expected: "a numeric type")
    }
    for (index, name) in [(1, "min"), (2, "max")] {
      guard let bound = operands.optional(index)?.type else { continue }
      if let type, bound.elementType != type.elementType {
        throw .invalidElementType(
          input: name, found: bound.elementType, expected: type.elementType.rawValue)
      }
      if let shape = bound.shape, shape != [], shape != [1] {
        throw .invalidShape(input: name, found: shape, expected: "a scalar")
      }
    }
    return [type]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? { foldedContents(operands) }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    _ = try resultTypes(inputs, outputCount: outputCount)
    let x = try inputs.required(0, "X")
    let (lower, upper) = (inputs.optional(1), inputs.optional(2))
    if x.elementType.isFloatingPoint {
      let least = lower?.reals().first ?? -.infinity
      let greatest = upper?.reals().first ?? .infinity
      let values = x.reals().map { x in
        let raised = x < least ? least : x
        return raised > greatest ? greatest : raised
      }
      return [Tensor(reals: values, shape: x.shape, elementType: x.elementType)]
    }
    var values = x.integers()
    if x.elementType == .uint64 {
      let least = UInt64(bitPattern: lower?.integers().first ?? 0)
      let greatest = UInt64(bitPattern: upper?.integers().first ?? -1)
      values = values.map {
        Int64(bitPattern: Swift.min(Swift.max(UInt64(bitPattern: $0), least), greatest))
      }
    } else {
      let least = lower?.integers().first ?? .min
      let greatest = upper?.integers().first ?? .max
      values = values.map { Swift.min(Swift.max($0, least), greatest) }
    }
    return [Tensor(integers: values, shape: x.shape, elementType: x.elementType)]
  }
}

extension Variadic {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...max(1, operands.count))
    var elementType: ElementType?
    var dimensions: [[Dimension]]? = []
    for index in operands.indices {
      let type = try operands.required(index, "data_\(index)").type
      if let found = type?.elementType {
        guard found != .bool, elementType ?? found == found else {
          throw .invalidElementType(
            input: "data_\(index)", found: found,
            expected: elementType?.rawValue ?? "a numeric type")
        }
        elementType = found
      }
      if let known = type?.dimensions { dimensions?.append(known) } else { dimensions = nil }
    }
    guard let elementType else { return [nil] }
    guard let dimensions else { return [TensorType(elementType, nil)] }
    guard let common = Broadcasting.dimensions(dimensions) else {
      throw .invalidShape(
        input: "data", found: dimensions[0].map { $0.value ?? -1 },
        expected: "shapes that broadcast to each other")
    }
    return [TensorType(elementType, common)]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    let contents = operands.compactMap { $0?.knownContents }
    guard contents.count == operands.count, let first = contents.first else { return nil }
    if contents.count == 1 { return first }
    let count = contents.map(\.count).max() ?? 0
    guard contents.allSatisfy({ $0.count == count || $0.count == 1 }) else { return nil }
    let type = operands.first??.type?.elementType ?? .int64
    return type.fitting(
      (0..<count).map { index in combined(contents.map { $0[$0.count == 1 ? 0 : index] }) })
  }

  /// The element, where it does not depend on symbols, or all agree.
  private func combined(_ elements: [Dimension]) -> Dimension {
    if function == .sum { return elements.reduce(.fixed(0), +) }
    if function != .mean, elements[0] != .unknown, elements.allSatisfy({ $0 == elements[0] }) {
      return elements[0]
    }
    let values = elements.compactMap(\.value)
    guard values.count == elements.count else { return .unknown }
    switch function {
    case .minimum: return values.min().map { .fixed($0) } ?? .unknown
    case .maximum: return values.max().map { .fixed($0) } ?? .unknown
    default: return .unknown
    }
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    var parts: [Tensor] = []
    for input in inputs {
      if let input { parts.append(try input.broadcast(to: result.shape)) }
    }
    if result.elementType.isFloatingPoint {
      var values = parts[0].reals()
      for part in parts.dropFirst() { values = zip(values, part.reals()).map(realFunction) }
      if function == .mean { values = values.map { $0 / Double(parts.count) } }
      return [Tensor(reals: values, shape: result.shape, elementType: result.elementType)]
    }
    // Flipping the highest bit puts unsigned numbers in the order of signed ones.
    let flip = result.elementType == .uint64 && function != .sum ? Int64.min : 0
    var values = parts[0].integers().map { $0 ^ flip }
    for part in parts.dropFirst() {
      values = zip(values, part.integers()).map { integerFunction($0, $1 ^ flip) }
    }
    values = values.map { $0 ^ flip }
    if function == .mean { values = values.map { $0 / Int64(parts.count) } }
    return [Tensor(integers: values, shape: result.shape, elementType: result.elementType)]
  }

  func realFunction(_ left: Double, _ right: Double) -> Double {
    switch function {
    case .sum, .mean: left + right
    case .minimum: left.isNaN || left < right ? left : right
    case .maximum: left.isNaN || left > right ? left : right
    }
  }

  func integerFunction(_ left: Int64, _ right: Int64) -> Int64 {
    switch function {
    case .sum, .mean: left &+ right
    case .minimum: Swift.min(left, right)
    case .maximum: Swift.max(left, right)
    }
  }
}

extension Where {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...3)
    let condition = try operands.required(0, "condition").type
    let x = try operands.required(1, "X").type
    let y = try operands.required(2, "Y").type
    if let found = condition?.elementType, found != .bool {
      throw .invalidElementType(input: "condition", found: found, expected: "bool")
    }
    guard let elementType = x?.elementType ?? y?.elementType else { return [nil] }
    if let found = y?.elementType, found != elementType {
      throw .invalidElementType(input: "Y", found: found, expected: elementType.rawValue)
    }
    guard let a = condition?.dimensions, let b = x?.dimensions, let c = y?.dimensions else {
      return [TensorType(elementType, nil)]
    }
    guard let dimensions = Broadcasting.dimensions([a, b, c]) else {
      throw .invalidShape(
        input: "condition", found: a.map { $0.value ?? -1 },
        expected: "one that broadcasts with those of X and Y")
    }
    return [TensorType(elementType, dimensions)]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    let contents = operands.compactMap { $0?.knownContents }
    guard contents.count == 3 else { return nil }
    let count = contents.map(\.count).max() ?? 0
    guard contents.allSatisfy({ $0.count == count || $0.count == 1 }) else { return nil }
    return (0..<count).map { index in
      let elements = contents.map { $0[$0.count == 1 ? 0 : index] }
      switch elements[0].value {
      case 0: return elements[2]
      case .some: return elements[1]
      case nil: return elements[1] == elements[2] ? elements[1] : .unknown
      }
    }
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let shape = try resultTypes(inputs, outputCount: outputCount)[0].shape
    let condition = try inputs.required(0, "condition").broadcast(to: shape)
    let x = try inputs.required(1, "X").broadcast(to: shape)
    var result = ElementBuffer(try inputs.required(2, "Y").broadcast(to: shape))
    result.replace(where: condition.bytes, with: ElementBuffer(x))
    return [result.tensor(shape: shape)]
  }
}
