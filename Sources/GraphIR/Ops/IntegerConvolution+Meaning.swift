// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension Tensor {
  /// Integer elements minus their zero points.
  ///
  /// - Parameters:
  ///   - zeroPoint: Nothing for 0, or what broadcasts to the tensor after `shape` is put on it.
  /// - Throws: `OpError.invalidShape` if it does not broadcast.
  func centred(
    _ zeroPoint: Tensor?, as shape: [Int]? = nil, name: String
  ) throws(OpError) -> [Double] {
    var values = reals()
    guard let zeroPoint else { return values }
    let zeros = zeroPoint.reals()
    if zeros.count == 1 {
      for index in values.indices { values[index] -= zeros[0] }
      return values
    }
    guard let places = Broadcasting.indices(of: shape ?? zeroPoint.shape, in: self.shape) else {
      throw .invalidShape(
        input: name, found: zeroPoint.shape, expected: "a shape that broadcasts to \(self.shape)")
    }
    for (index, place) in places.enumerated() { values[index] -= zeros[place] }
    return values
  }
}

extension Op {
  /// Checks that an operand has one element, or as many as `count` along one axis if it is given.
  ///
  /// - Throws: `OpError.invalidShape`.
  func checkSingle(
    _ type: TensorType?, _ name: String, orVectorOf count: Dimension? = nil
  ) throws(OpError) {
    guard let shape = type?.shape, !shape.allSatisfy({ $0 == 1 }) else { return }
    if let count {
      guard let expected = count.value else { return }
      if shape == [expected] { return }
      throw .invalidShape(input: name, found: shape, expected: "[] or [\(expected)]")
    }
    throw .invalidShape(input: name, found: shape, expected: "[]")
  }
}

extension ConvInteger {
  private var rule: ConvolutionRule {
    ConvolutionRule(strides: strides, dilations: dilations, padding: padding, group: group)
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...4)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "x").type
    let w = try operands.required(1, "w").type
    let zeroX = operands.optional(2)?.type
    let zeroW = operands.optional(3)?.type
    _ = try ElementTypeRule.bytes.common([("x", x), ("x_zero_point", zeroX)])
    _ = try ElementTypeRule.bytes.common([("w", w), ("w_zero_point", zeroW)])
    let dimensions = try rule.outputDimensions(x: x?.dimensions, w: w?.dimensions)
    try checkSingle(zeroX, "x_zero_point")
    try checkSingle(zeroW, "w_zero_point", orVectorOf: w?.dimensions?[0] ?? .unknown)
    return [TensorType(.int32, dimensions)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let x = try inputs.required(0, "x")
    let w = try inputs.required(1, "w")
    let sums = try rule.evaluate(
      x.centred(inputs.optional(2), name: "x_zero_point"), xShape: x.shape,
      rule.centredWeight(w, inputs.optional(3)), wShape: w.shape, bias: nil)
    return [Tensor(reals: sums, shape: shape, elementType: elementType)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    ConvolutionRule.multiplyAccumulates(output: outputs.optional(0), w: inputs.optional(1))
  }
}

extension ConvolutionRule {
  /// Weights minus their zero point, of which there is one for all or one per output channel.
  func centredWeight(_ w: Tensor, _ zeroPoint: Tensor?) throws(OpError) -> [Double] {
    let columns = [w.shape[0]] + [Int](repeating: 1, count: w.rank - 1)
    return try w.centred(zeroPoint, as: columns, name: "w_zero_point")
  }
}

extension QLinearConv {
  private var rule: ConvolutionRule {
    ConvolutionRule(strides: strides, dilations: dilations, padding: padding, group: group)
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(8...9)
    try checkOutputCount(outputCount, 1...1)
    let names = [
      "x", "x_scale", "x_zero_point", "w", "w_scale", "w_zero_point", "y_scale", "y_zero_point",
    ]
    var types: [TensorType?] = []
    for (index, name) in names.enumerated() {
      types.append(try operands.required(index, name).type)
    }
    let bias = operands.optional(8)?.type
    _ = try ElementTypeRule.bytes.common([("x", types[0]), ("x_zero_point", types[2])])
    _ = try ElementTypeRule.bytes.common([("w", types[3]), ("w_zero_point", types[5])])
    try ElementTypeRule.bytes.check(types[7], "y_zero_point")
    try ElementTypeRule.only(.int32).check(bias, "B")
    let dimensions = try rule.outputDimensions(x: types[0]?.dimensions, w: types[3]?.dimensions)
    let outputs = types[3]?.dimensions?[0] ?? .unknown
    for index in [1, 4, 6] { try ElementTypeRule.only(.float32).check(types[index], names[index]) }
    for index in [1, 2, 6, 7] { try checkSingle(types[index], names[index]) }
    for index in [4, 5] { try checkSingle(types[index], names[index], orVectorOf: outputs) }
    try checkVector(bias, "B", count: outputs)
    return [types[7].map { TensorType($0.elementType, dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let x = try inputs.required(0, "x")
    let w = try inputs.required(3, "w")
    let sums = try rule.evaluate(
      x.centred(inputs.optional(2), name: "x_zero_point"), xShape: x.shape,
      rule.centredWeight(w, inputs.optional(5)), wShape: w.shape, bias: inputs.optional(8)?.reals())
    let xScale = try inputs.required(1, "x_scale").floats()[0]
    let wScales = try inputs.required(4, "w_scale").floats()
    let yScale = try inputs.required(6, "y_scale").floats()[0]
    let zeroPoint = try inputs.required(7, "y_zero_point").integers()[0]
    let factors = wScales.map { xScale * $0 / yScale }
    guard let range = elementType.integerRange else { throw .notEvaluable(kind: kind) }
    let volume = shape.dropFirst(2).reduce(1, *)
    var codes = [Int64](repeating: 0, count: sums.count)
    for index in codes.indices {
      let factor = factors.count == 1 ? factors[0] : factors[index / volume % factors.count]
      codes[index] = CodeRounding.saturated(
        Float(sums[index]) * factor, zeroPoint: zeroPoint, in: range)
    }
    return [Tensor(integers: codes, shape: shape, elementType: elementType)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    ConvolutionRule.multiplyAccumulates(output: outputs.optional(0), w: inputs.optional(3))
  }
}
