// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// An operator of ONNX Runtime's optimizer that joins ordinary ones.
///
/// Source: ONNX Runtime, contributed operators of the domain `com.microsoft`.
public struct FusedFunction: CompositeOp {
  public enum Function: Sendable, Equatable {
    case conv(Conv, activation: Unary.Function?)
    case gemm(Gemm, activation: Unary.Function?)
    case matMul(alpha: Float, transposesA: Bool, transposesB: Bool)
    case gelu, fastGelu, biasGelu
    case quickGelu(alpha: Float)
    case skipLayerNormalization(epsilon: Float)
    case skipRootMeanSquare(epsilon: Float)
    case rootMeanSquare(axis: Int, epsilon: Float)
  }

  public var function: Function
  public init(_ function: Function) { self.function = function }

  public var domain: String {
    if case .rootMeanSquare = function { "" } else { "com.microsoft" }
  }

  public var kind: String {
    switch function {
    case .conv: "FusedConv"
    case .gemm: "FusedGemm"
    case .matMul: "FusedMatMul"
    case .gelu: "Gelu"
    case .fastGelu: "FastGelu"
    case .biasGelu: "BiasGelu"
    case .quickGelu: "QuickGelu"
    case .skipLayerNormalization: "SkipLayerNormalization"
    case .skipRootMeanSquare: "SkipSimplifiedLayerNormalization"
    case .rootMeanSquare: "SimplifiedLayerNormalization"
    }
  }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    let x: ValueID = try inputs.required(0, "input")
    switch function {
    case .conv(let conv, let activation):
      try inputs.checkCount(2...4)
      var result = try body.add(conv, x, inputs.required(1, "W"), inputs.optional(2))
      if let addend = inputs.optional(3) { result = try body.binary(.add, result, addend) }
      return [
        try activation.map { (function) throws(OpError) in
          try body.unary(function, result)
        } ?? result
      ]
    case .gemm(let gemm, let activation):
      try inputs.checkCount(2...3)
      let result = try body.add(gemm, x, inputs.required(1, "B"), inputs.optional(2))
      guard let activation else { return [result] }
      return [try body.unary(activation, result)]
    case .matMul(let alpha, let transposesA, let transposesB):
      try inputs.checkCount(2...2)
      let a = transposesA ? try lastAxesExchanged(x, &body) : x
      let given: ValueID = try inputs.required(1, "B")
      let b = transposesB ? try lastAxesExchanged(given, &body) : given
      let product = try body.add(MatMul(), a, b)
      if alpha == 1 { return [product] }
      return [
        try body.binary(
          .multiply, product, body.scalar(Double(alpha), body.elementType(product)))
      ]
    case .gelu, .fastGelu, .biasGelu:
      try inputs.checkCount(function == .gelu ? 1...1 : 1...2)
      var sum = x
      if let bias = inputs.optional(1) { sum = try body.binary(.add, x, bias) }
      return [try body.unary(.gelu(tanhApproximation: function == .fastGelu), sum)]
    case .quickGelu(let alpha): return [try body.unary(.swish(alpha: alpha), x)]
    case .rootMeanSquare(let axis, let epsilon):
      try inputs.checkCount(2...2)
      return [
        try body.add(
          RMSNormalization(axis: axis, epsilon: epsilon), x, inputs.required(1, "scale"))
      ]
    case .skipLayerNormalization(let epsilon), .skipRootMeanSquare(let epsilon):
      return try normalizedSum(inputs, epsilon: epsilon, outputCount: outputCount, &body)
    }
  }

  /// The normalized sum of input, skipped value and bias; inputs these two, the scale, for a layer
  /// norm its bias, and the bias of the sum.
  private func normalizedSum(
    _ inputs: [ValueID?], epsilon: Float, outputCount: Int, _ body: inout Composition
  ) throws(OpError) -> [ValueID] {
    var sum = try body.binary(
      .add, inputs.required(0, "input"), inputs.required(1, "skip"))
    let scale: ValueID = try inputs.required(2, "gamma")
    if case .skipRootMeanSquare = function {
      try inputs.checkCount(3...4)
      if let bias = inputs.optional(3) { sum = try body.binary(.add, sum, bias) }
      let result = try body.add(RMSNormalization(epsilon: epsilon), sum, scale)
      return [result, result, result, sum]
    }
    try inputs.checkCount(3...5)
    if let bias = inputs.optional(4) { sum = try body.binary(.add, sum, bias) }
    let results = try body.addNode(
      LayerNormalization(epsilon: epsilon), [sum, scale, inputs.optional(3)],
      outputCount: min(outputCount, 3))
    return results + Array(repeating: sum, count: max(0, outputCount - results.count))
  }

  private func lastAxesExchanged(
    _ x: ValueID, _ body: inout Composition
  ) throws(OpError) -> ValueID {
    let rank = try body.rank(x)
    guard rank >= 2 else { throw .invalidRank(input: "A", found: rank, expected: "2 or more") }
    return try body.transpose(x, Array(0..<(rank - 2)) + [rank - 1, rank - 2])
  }
}
