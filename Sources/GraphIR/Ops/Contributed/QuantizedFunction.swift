// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// An operator on codes, as ONNX Runtime writes them where ONNX has none: each input is
/// dequantized, the ordinary operator is applied, and the result is quantized.
///
/// Source: ONNX Runtime, contributed operators `QLinear…` of the domain `com.microsoft`.
public struct QuantizedFunction: CompositeOp {
  public enum Function: Sendable, Equatable {
    case add, multiply
    case concat(axis: Int)
    case averagePool(AveragePool), globalAveragePool
    case leakyRelu(alpha: Float), sigmoid
    case softmax(axis: Int, flattensTrailingAxes: Bool)
    case reduceMean(axes: [Int], keepsDimensions: Bool)
    case select
  }

  public var function: Function
  public init(_ function: Function) { self.function = function }

  public var domain: String { "com.microsoft" }

  public var kind: String {
    switch function {
    case .add: "QLinearAdd"
    case .multiply: "QLinearMul"
    case .concat: "QLinearConcat"
    case .averagePool: "QLinearAveragePool"
    case .globalAveragePool: "QLinearGlobalAveragePool"
    case .leakyRelu: "QLinearLeakyRelu"
    case .sigmoid: "QLinearSigmoid"
    case .softmax: "QLinearSoftmax"
    case .reduceMean: "QLinearReduceMean"
    case .select: "QLinearWhere"
    }
  }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try checkOutputCount(outputCount, 1...1)
    var codes: [ValueID?]
    var (scale, zeroPoint): (ValueID?, ValueID?)
    switch function {
    case .concat:
      (scale, zeroPoint) = (inputs.optional(0), inputs.optional(1))
      codes = Array(inputs.dropFirst(2))
    case .select:
      codes = Array(inputs.dropFirst().prefix(6))
      (scale, zeroPoint) = (inputs.optional(7), inputs.optional(8))
    default:
      let count = function == .add || function == .multiply ? 6 : 3
      codes = Array(inputs.prefix(count))
      (scale, zeroPoint) = (inputs.optional(count), inputs.optional(count + 1))
    }
    while codes.count % 3 != 0 { codes.append(nil) }
    var reals: [ValueID] = []
    for start in stride(from: 0, to: codes.count, by: 3) {
      guard let code = codes[start], let scale = codes[start + 1] else {
        throw .missingInput(name: "X_scale")
      }
      reals.append(try body.add(DequantizeLinear(), code, scale, codes[start + 2]))
    }
    guard let first = reals.first, let scale else { throw .missingInput(name: "Y_scale") }
    let result: ValueID
    switch function {
    case .add, .multiply:
      result = try body.binary(function == .add ? .add : .multiply, first, reals[1])
    case .concat(let axis):
      result = try body.addNode(Concat(axis: axis), reals, outputCount: 1)[0]
    case .averagePool(let pool): result = try body.add(pool, first)
    case .globalAveragePool: result = try body.add(GlobalPool(.average), first)
    case .leakyRelu(let alpha): result = try body.unary(.leakyRelu(alpha: alpha), first)
    case .sigmoid: result = try body.unary(.sigmoid, first)
    case .softmax(let axis, let flattens):
      result = try body.add(Softmax(axis: axis, flattensTrailingAxes: flattens), first)
    case .reduceMean(let axes, let keeps):
      result = try body.reduce(
        .mean, first, axes: axes.isEmpty ? nil : axes, keepsDimensions: keeps)
    case .select:
      let condition: ValueID = try inputs.required(0, "condition")
      result = try body.add(Where(), condition, first, reals[1])
    }
    return [try body.add(QuantizeLinear(), result, scale, zeroPoint)]
  }
}

/// A matrix product of codes with a bias in steps of the product of the scales; inputs A and B, each
/// with its scale and zero point, and optionally the bias and the scale and zero point of the result,
/// which is real without them.
///
/// Source: ONNX Runtime, contributed operator QGemm.
public struct QuantizedGemm: CompositeOp {
  public var domain: String { "com.microsoft" }
  public var kind: String { "QGemm" }
  public var alpha: Float
  public var transposesA: Bool
  public var transposesB: Bool

  public init(alpha: Float = 1, transposesA: Bool = false, transposesB: Bool = false) {
    self.alpha = alpha
    self.transposesA = transposesA
    self.transposesB = transposesB
  }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(6...9)
    try checkOutputCount(outputCount, 1...1)
    let scaleA: ValueID = try inputs.required(1, "a_scale")
    let scaleB: ValueID = try inputs.required(4, "b_scale")
    let a = try body.add(
      DequantizeLinear(), inputs.required(0, "A"), scaleA, inputs.optional(2))
    let b = try body.add(
      DequantizeLinear(axis: transposesB ? 0 : 1), inputs.required(3, "B"), scaleB,
      inputs.optional(5))
    var bias: ValueID?
    if let codes = inputs.optional(6) {
      let step = try body.binary(.multiply, scaleA, scaleB)
      bias = try body.binary(.multiply, body.cast(codes, to: body.elementType(scaleA)), step)
      if alpha != 1, let plain = bias {
        bias = try body.binary(
          .multiply, plain, body.scalar(Double(alpha), body.elementType(scaleA)))
      }
    }
    let product = try body.add(
      Gemm(alpha: alpha, beta: 1, transposesA: transposesA, transposesB: transposesB), a, b, bias)
    guard let scale = inputs.optional(7) else { return [product] }
    return [try body.add(QuantizeLinear(), product, scale, inputs.optional(8))]
  }
}
