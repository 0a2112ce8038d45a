// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension ElementTypeRule {
  /// The integer types that a linear quantization makes.
  static let codes = ElementTypeRule(
    name: "an integer type of 2, 4, 8 or 16 bits",
    types: [.int2, .uint2, .int4, .uint4, .int8, .uint8, .int16, .uint16])

  static let scales = ElementTypeRule(
    name: "float32, float16 or bfloat16", types: [.float32, .float16, .bfloat16])
}

/// Rounding to integer codes, as all linear quantizations do it.
enum CodeRounding {
  /// `value` rounded to the nearest integer, ties to even, plus the zero point, saturated.
  ///
  /// NaN becomes the least code.
  static func saturated(
    _ value: Float, zeroPoint: Int64, in range: ClosedRange<Int64>
  ) -> Int64 {
    let code = Double(value.rounded(.toNearestOrEven)) + Double(zeroPoint)
    guard code > Double(range.lowerBound) else { return range.lowerBound }
    return code < Double(range.upperBound) ? Int64(code) : range.upperBound
  }
}

extension Op {
  /// Checks that a zero point, where there is one, has the shape of the scale.
  func checkZeroPoint(
    _ zeroPoint: TensorType?, scale: TensorType?, name: String
  ) throws(OpError) {
    guard let found = zeroPoint?.shape, let expected = scale?.shape, found != expected else {
      return
    }
    guard found.allSatisfy({ $0 == 1 }), expected.allSatisfy({ $0 == 1 }) else {
      throw .invalidShape(input: name, found: found, expected: "\(expected), as its scale")
    }
  }
}

extension QuantizeLinear {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...3)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "x").type
    let scale = try operands.required(1, "y_scale").type
    let operand = operands.optional(2)
    let zeroPoint = operand?.type
    try ElementTypeRule(
      name: "float32, float16, bfloat16 or int32",
      types: ElementTypeRule.scales.types.union([.int32])
    ).check(x, "x")
    try ElementTypeRule.scales.check(scale, "y_scale")
    try ElementTypeRule.codes.check(zeroPoint, "y_zero_point")
    if let outputType, !ElementTypeRule.codes.types.contains(outputType) {
      throw .invalidAttribute(
        name: "output_dtype", found: outputType.rawValue, expected: ElementTypeRule.codes.name)
    }
    if let precision, !precision.isFloatingPoint {
      throw .invalidAttribute(
        name: "precision", found: precision.rawValue, expected: ElementTypeRule.floating.name)
    }
    if let outputType, let found = zeroPoint?.elementType, found != outputType {
      throw .invalidElementType(
        input: "y_zero_point", found: found, expected: "\(outputType.rawValue), as output_dtype")
    }
    try ScaleLayout.check(
      x: x?.dimensions, scale: scale?.dimensions, axis: axis, blockSize: blockSize)
    try checkZeroPoint(zeroPoint, scale: scale, name: "y_zero_point")
    let isOpen = operand != nil && zeroPoint == nil
    guard let type = outputType ?? zeroPoint?.elementType ?? (isOpen ? nil : .uint8) else {
      return [nil]
    }
    return [TensorType(type, x?.dimensions)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let x = try inputs.required(0, "x")
    let scale = try inputs.required(1, "y_scale")
    let layout = try ScaleLayout(x: x.shape, scale: scale.shape, axis: axis, blockSize: blockSize)
    guard let range = elementType.integerRange else { throw .notEvaluable(kind: kind) }
    let values = x.floats()
    let scales = scale.floats()
    let zeroPoints = inputs.optional(2)?.integers() ?? [Int64](repeating: 0, count: scales.count)
    let divisionType = precision ?? scale.elementType
    var codes = [Int64](repeating: 0, count: values.count)
    layout.forEachRun { elements, first, step in
      var place = first
      for index in elements {
        let quotient = Self.quotient(values[index], scales[place], in: divisionType)
        codes[index] = CodeRounding.saturated(quotient, zeroPoint: zeroPoints[place], in: range)
        place &+= step
      }
    }
    return [Tensor(integers: codes, shape: shape, elementType: elementType)]
  }

  private static func quotient(_ value: Float, _ scale: Float, in type: ElementType) -> Float {
    switch type {
    case .float16:
      let value = Half.float(float16: Half.float16(value))
      return Half.float(float16: Half.float16(value / scale))
    case .bfloat16:
      let value = Half.float(bfloat16: Half.bfloat16(value))
      return Half.float(bfloat16: Half.bfloat16(value / scale))
    default: return value / scale
    }
  }
}

extension DequantizeLinear {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...3)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "x").type
    let scale = try operands.required(1, "x_scale").type
    let zeroPoint = operands.optional(2)?.type
    _ = try ElementTypeRule(
      name: "an integer type of 2, 4, 8 or 16 bits or int32",
      types: ElementTypeRule.codes.types.union([.int32])
    ).common([("x", x), ("x_zero_point", zeroPoint)])
    try ElementTypeRule.scales.check(scale, "x_scale")
    if let outputType, !ElementTypeRule.scales.types.contains(outputType) {
      throw .invalidAttribute(
        name: "output_dtype", found: outputType.rawValue, expected: ElementTypeRule.scales.name)
    }
    try ScaleLayout.check(
      x: x?.dimensions, scale: scale?.dimensions, axis: axis, blockSize: blockSize)
    try checkZeroPoint(zeroPoint, scale: scale, name: "x_zero_point")
    guard let type = outputType ?? scale?.elementType else { return [nil] }
    return [TensorType(type, x?.dimensions)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let x = try inputs.required(0, "x")
    let scale = try inputs.required(1, "x_scale")
    let layout = try ScaleLayout(x: x.shape, scale: scale.shape, axis: axis, blockSize: blockSize)
    let codes = x.integers()
    let scales = scale.floats()
    let zeroPoints = inputs.optional(2)?.integers() ?? [Int64](repeating: 0, count: scales.count)
    var values = [Float](repeating: 0, count: codes.count)
    layout.forEachRun { elements, first, step in
      var place = first
      for index in elements {
        values[index] = Float(codes[index] - zeroPoints[place]) * scales[place]
        place &+= step
      }
    }
    let result = Tensor(values, shape: shape)
    return [elementType == .float32 ? result : result.converted(to: elementType)]
  }
}

extension DynamicQuantizeLinear {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...3)
    let x = try operands.required(0, "x").type
    try ElementTypeRule.only(.float32).check(x, "x")
    let all = [
      TensorType(.uint8, x?.dimensions), TensorType(.float32, []), TensorType(.uint8, []),
    ]
    return Array(all.prefix(outputCount))
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let x = try inputs.required(0, "x")
    let values = x.floats()
    var (least, greatest): (Float, Float) = (0, 0)
    for value in values {
      if value < least { least = value }
      if value > greatest { greatest = value }
    }
    let scale = least == greatest ? 1 : (greatest - least) / 255
    let zeroPoint = CodeRounding.saturated(-least / scale, zeroPoint: 0, in: 0...255)
    let codes = values.map {
      UInt8(
        truncatingIfNeeded: CodeRounding.saturated($0 / scale, zeroPoint: zeroPoint, in: 0...255))
    }
    let all = [
      Tensor(codes, shape: x.shape), Tensor(scalar: scale),
      Tensor(scalar: UInt8(truncatingIfNeeded: zeroPoint)),
    ]
    return Array(all.prefix(outputCount))
  }
}
