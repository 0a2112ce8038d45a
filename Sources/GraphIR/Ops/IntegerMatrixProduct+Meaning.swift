// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Matrix product of quantized tensors to a quantized one; inputs a, b and y in codes, each
/// followed by its scale and zero point (y has only these two).
///
/// Scales and zero points are single, one per row of a or per column of b, or broadcast with these.
public struct QLinearMatMul: Op {
  public var kind: String { "QLinearMatMul" }
  public init() {}
}

/// Scales and zero points along the rows of a left operand or the columns of a right one.
private enum QuantizedOperand {
  /// The shape that makes a vector of one value per row stand along the rows.
  static func rowShape(_ shape: [Int]) -> [Int] { shape.count == 1 ? shape + [1] : shape }

  /// Checks a scale or zero point against the operand: one value, one per row or column, or a
  /// shape that broadcasts to it with one value for each of its rows or columns.
  static func check(
    _ type: TensorType?, _ name: String, operand: TensorType?, isLeft: Bool
  ) throws(OpError) {
    guard let shape = type?.shape, !shape.allSatisfy({ $0 == 1 }) else { return }
    guard let operand = operand?.dimensions else { return }
    let aligned = isLeft ? rowShape(shape) : shape
    let summed = isLeft ? aligned.last : aligned.dropLast().last
    guard operand.count >= 2, summed ?? 1 == 1, aligned.count <= operand.count,
      zip(aligned.reversed(), operand.reversed()).allSatisfy({ found, dimension in
        found == 1 || found == dimension.value ?? found
      })
    else {
      throw .invalidShape(
        input: name, found: shape,
        expected: "[], or one value per \(isLeft ? "row" : "column") of the matrices")
    }
  }
}

extension MatMulInteger {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...4)
    try checkOutputCount(outputCount, 1...1)
    let a = try operands.required(0, "A").type
    let b = try operands.required(1, "B").type
    let zeroA = operands.optional(2)?.type
    let zeroB = operands.optional(3)?.type
    _ = try ElementTypeRule.bytes.common([("A", a), ("a_zero_point", zeroA)])
    _ = try ElementTypeRule.bytes.common([("B", b), ("b_zero_point", zeroB)])
    let dimensions = try MatrixProductRule.dimensions(a: a?.dimensions, b: b?.dimensions)
    try QuantizedOperand.check(zeroA, "a_zero_point", operand: a, isLeft: true)
    try QuantizedOperand.check(zeroB, "b_zero_point", operand: b, isLeft: false)
    return [TensorType(.int32, dimensions)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let a = try inputs.required(0, "A")
    let b = try inputs.required(1, "B")
    let zeroA = inputs.optional(2)
    guard let plan = MatrixProductRule.plan(a: a.shape, b: b.shape) else {
      throw .notEvaluable(kind: kind)
    }
    let sums = MatrixProductRule.product(
      try a.centred(
        zeroA, as: zeroA.map { QuantizedOperand.rowShape($0.shape) }, name: "a_zero_point"),
      try b.centred(inputs.optional(3), name: "b_zero_point"), plan)
    return [Tensor(reals: sums, shape: shape, elementType: elementType)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    MatrixProductRule.multiplyAccumulates(a: inputs.optional(0), output: outputs.optional(0))
  }
}

extension QLinearMatMul {
  private static let names = [
    "a", "a_scale", "a_zero_point", "b", "b_scale", "b_zero_point", "y_scale", "y_zero_point",
  ]

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(8...8)
    try checkOutputCount(outputCount, 1...1)
    var types: [TensorType?] = []
    for (index, name) in Self.names.enumerated() {
      types.append(try operands.required(index, name).type)
    }
    _ = try ElementTypeRule.bytes.common([("a", types[0]), ("a_zero_point", types[2])])
    _ = try ElementTypeRule.bytes.common([("b", types[3]), ("b_zero_point", types[5])])
    try ElementTypeRule.bytes.check(types[7], "y_zero_point")
    let dimensions = try MatrixProductRule.dimensions(
      a: types[0]?.dimensions, b: types[3]?.dimensions)
    for index in [1, 4, 6] { try ElementTypeRule.scales.check(types[index], Self.names[index]) }
    for index in [1, 2, 4, 5] {
      let isLeft = index < 3
      try QuantizedOperand.check(
        types[index], Self.names[index], operand: types[isLeft ? 0 : 3], isLeft: isLeft)
    }
    if types[0]?.rank == 1 || types[3]?.rank == 1 {
      for index in [1, 2, 4, 5] { try checkSingle(types[index], Self.names[index]) }
    }
    let product = dimensions.map { TensorType(.int8, $0) }
    for index in [6, 7] {
      try QuantizedOperand.check(types[index], Self.names[index], operand: product, isLeft: true)
    }
    return [types[7].map { TensorType($0.elementType, dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    var operands: [Tensor] = []
    for (index, name) in Self.names.enumerated() {
      operands.append(try inputs.required(index, name))
    }
    let (a, b) = (operands[0], operands[3])
    let rowShape = QuantizedOperand.rowShape
    guard let plan = MatrixProductRule.plan(a: a.shape, b: b.shape),
      let range = elementType.integerRange
    else { throw .notEvaluable(kind: kind) }
    let sums = MatrixProductRule.product(
      try a.centred(operands[2], as: rowShape(operands[2].shape), name: Self.names[2]),
      try b.centred(operands[5], name: Self.names[5]), plan)
    let aScale = try places(operands[1], rowShape(operands[1].shape), in: shape, Self.names[1])
    let bScale = try places(operands[4], operands[4].shape, in: shape, Self.names[4])
    let yScale = try places(operands[6], rowShape(operands[6].shape), in: shape, Self.names[6])
    let zeros = try places(operands[7], rowShape(operands[7].shape), in: shape, Self.names[7])
    let scales = [operands[1].floats(), operands[4].floats(), operands[6].floats()]
    let zeroPoints = operands[7].integers()
    var codes = [Int64](repeating: 0, count: sums.count)
    for index in codes.indices {
      let factor = scales[0][aScale[index]] * scales[1][bScale[index]] / scales[2][yScale[index]]
      codes[index] = CodeRounding.saturated(
        Float(sums[index]) * factor, zeroPoint: zeroPoints[zeros[index]], in: range)
    }
    return [Tensor(integers: codes, shape: shape, elementType: elementType)]
  }

  /// The index of the value of a scale or zero point for every element of the result.
  private func places(
    _ values: Tensor, _ aligned: [Int], in shape: [Int], _ name: String
  ) throws(OpError) -> [Int] {
    if values.count == 1 { return [Int](repeating: 0, count: shape.reduce(1, *)) }
    guard let places = Broadcasting.indices(of: aligned, in: shape) else {
      throw .invalidShape(
        input: name, found: values.shape, expected: "a shape that broadcasts to \(shape)")
    }
    return places
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    MatrixProductRule.multiplyAccumulates(a: inputs.optional(0), output: outputs.optional(0))
  }
}
