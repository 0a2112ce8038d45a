// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

extension Unary {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    guard let type = try operands.required(0, "X").type else { return [nil] }
    try check(type.elementType)
    return [TensorType(isPredicate ? .bool : type.elementType, type.dimensions)]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    guard let contents = operands.optional(0)?.knownContents else { return nil }
    switch function {
    case .floor, .ceil, .round: return contents
    case .negate:
      let type = operands.optional(0)?.type?.elementType ?? .int64
      return type.fitting(contents.map { .fixed(0) - $0 })
    case .relu, .abs: return contents.map { isNegative($0) ? .unknown : $0 }
    default: return foldedContents(operands)
    }
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)
    let x = try inputs.required(0, "X")
    if x.elementType.isFloatingPoint {
      let output = result[0].elementType
      return [Tensor(reals: x.reals().map(realFunction()), shape: x.shape, elementType: output)]
    }
    let values = x.integers().map(integerFunction(isSigned: x.elementType.isSignedInteger))
    return [Tensor(integers: values, shape: x.shape, elementType: x.elementType)]
  }

  private var isPredicate: Bool {
    switch function {
    case .isNaN, .isInfinity: true
    default: false
    }
  }

  private func isNegative(_ dimension: Dimension) -> Bool { (dimension.value ?? 0) < 0 }

  private func check(_ type: ElementType) throws(OpError) {
    let (isValid, expected) =
      switch function {
      case .not: (type == .bool, "bool")
      case .bitwiseNot: (type.isInteger, "an integer type")
      case .abs, .negate, .sign, .relu, .shrink: (type != .bool, "a numeric type")
      default: (type.isFloatingPoint, "a floating-point type")
      }
    if !isValid { throw .invalidElementType(input: "X", found: type, expected: expected) }
  }

  /// The function on integers, `bool` as 0 and 1.
  private func integerFunction(isSigned: Bool) -> (Int64) -> Int64 {
    switch function {
    case .not: { 1 - $0 }
    case .bitwiseNot: { ~$0 }
    case .abs: { isSigned && $0 < 0 ? 0 &- $0 : $0 }
    case .negate: { 0 &- $0 }
    case .sign: { isSigned ? $0.signum() : ($0 == 0 ? 0 : 1) }
    case .relu: { isSigned ? max($0, 0) : $0 }
    default:
      {
        [real = realFunction()] in Int64(exactly: real(Double($0)).rounded(.towardZero)) ?? 0
      }
    }
  }

  /// The function on reals.
  ///
  /// Source: the operators' definitions in ONNX, with exponentials arranged not to overflow.
  package func realFunction() -> (Double) -> Double {
    switch function {
    case .abs: { $0.magnitude }
    case .acos: { Foundation.acos($0) }
    case .acosh: { Foundation.acosh($0) }
    case .asin: { Foundation.asin($0) }
    case .asinh: { Foundation.asinh($0) }
    case .atan: { Foundation.atan($0) }
    case .atanh: { Foundation.atanh($0) }
    case .cos: { Foundation.cos($0) }
    case .cosh: { Foundation.cosh($0) }
    case .erf: { Foundation.erf($0) }
    case .exp: { Foundation.exp($0) }
    case .log: { Foundation.log($0) }
    case .sin: { Foundation.sin($0) }
    case .sinh: { Foundation.sinh($0) }
    case .tan: { Foundation.tan($0) }
    case .tanh: { Foundation.tanh($0) }
    case .ceil: { $0.rounded(.up) }
    case .floor: { $0.rounded(.down) }
    case .round: { $0.rounded(.toNearestOrEven) }
    case .sqrt: { $0.squareRoot() }
    case .reciprocal: { 1 / $0 }
    case .negate: { -$0 }
    case .sign: { $0 > 0 ? 1 : ($0 < 0 ? -1 : $0) }
    case .not: { $0 == 0 ? 1 : 0 }
    case .bitwiseNot: { -$0 - 1 }
    case .isNaN: { $0.isNaN ? 1 : 0 }
    case .isInfinity(let negative, let positive):
      { $0.isInfinite && ($0 > 0 ? positive : negative) ? 1 : 0 }
    default: activation()
    }
  }

  private func activation() -> (Double) -> Double {
    switch function {
    case .relu: return { $0 < 0 ? 0 : $0 }
    case .leakyRelu(let alpha): return { $0 < 0 ? Double(alpha) * $0 : $0 }
    case .thresholdedRelu(let alpha): return { $0 > Double(alpha) ? $0 : 0 }
    case .celu(let alpha):
      let alpha = Double(alpha)
      return { $0 < 0 ? alpha * Foundation.expm1($0 / alpha) : $0 }
    case .elu(let alpha): return { $0 < 0 ? Double(alpha) * Foundation.expm1($0) : $0 }
    case .selu(let alpha, let gamma):
      return { Double(gamma) * ($0 > 0 ? $0 : Double(alpha) * Foundation.expm1($0)) }
    case .gelu(tanhApproximation: false):
      return { $0 / 2 * (1 + Foundation.erf($0 / 2.0.squareRoot())) }
    case .gelu(tanhApproximation: true):
      let slope = (2 / Double.pi).squareRoot()
      return { $0 / 2 * (1 + Foundation.tanh(slope * ($0 + 0.044715 * $0 * $0 * $0))) }
    case .hardSigmoid(let alpha, let beta):
      return { min(max(Double(alpha) * $0 + Double(beta), 0), 1) }
    case .hardSwish: return { $0 * min(max($0 / 6 + 0.5, 0), 1) }
    case .mish: return { $0 * Foundation.tanh(Unary.softplus($0)) }
    case .softplus: return { Unary.softplus($0) }
    case .softsign: return { $0 / (1 + $0.magnitude) }
    case .sigmoid: return { Unary.sigmoid($0) }
    case .swish(let alpha): return { $0 * Unary.sigmoid(Double(alpha) * $0) }
    case .shrink(let bias, let lambda):
      let (bias, lambda) = (Double(bias), Double(lambda))
      return { $0 < -lambda ? $0 + bias : ($0 > lambda ? $0 - bias : 0) }
    default: return { $0 }
    }
  }

  static func softplus(_ x: Double) -> Double {
    max(x, 0) + Foundation.log1p(Foundation.exp(-x.magnitude))
  }

  static func sigmoid(_ x: Double) -> Double {
    let small = Foundation.exp(-x.magnitude)
    return (x < 0 ? small : 1) / (1 + small)
  }
}
