// SPDX-License-Identifier: Apache-2.0
import Foundation

extension Unary {
  /// The derivative as a function of X; `nil` for functions that have none: those of integers and
  /// truth values.
  ///
  /// At a kink it is the slope from the left, as for `x = 0` of ReLU; `abs` and `sign` have 0 at 0.
  /// Functions that are constant between their jumps have 0 everywhere.
  package func realDerivative() -> ((Double) -> Double)? {
    switch function {
    case .bitwiseNot, .not, .isInfinity, .isNaN: nil
    case .ceil, .floor, .round, .sign: { _ in 0 }
    case .abs: { $0 > 0 ? 1 : ($0 < 0 ? -1 : $0) }
    case .acos: { -1 / (1 - $0 * $0).squareRoot() }
    case .acosh: { 1 / ($0 * $0 - 1).squareRoot() }
    case .asin: { 1 / (1 - $0 * $0).squareRoot() }
    case .asinh: { 1 / ($0 * $0 + 1).squareRoot() }
    case .atan: { 1 / (1 + $0 * $0) }
    case .atanh: { 1 / (1 - $0 * $0) }
    case .cos: { -Foundation.sin($0) }
    case .cosh: { Foundation.sinh($0) }
    case .erf: { 2 / Double.pi.squareRoot() * Foundation.exp(-$0 * $0) }
    case .exp: { Foundation.exp($0) }
    case .log: { 1 / $0 }
    case .negate: { _ in -1 }
    case .reciprocal: { -1 / ($0 * $0) }
    case .sin: { Foundation.cos($0) }
    case .sinh: { Foundation.cosh($0) }
    case .sqrt: { 0.5 / $0.squareRoot() }
    case .tan:
      {
        let tangent = Foundation.tan($0)
        return 1 + tangent * tangent
      }
    case .tanh:
      {
        let tangent = Foundation.tanh($0)
        return 1 - tangent * tangent
      }
    default: activationDerivative()
    }
  }

  private func activationDerivative() -> (Double) -> Double {
    switch function {
    case .relu: return { $0 > 0 ? 1 : 0 }
    case .leakyRelu(let alpha): return { $0 > 0 ? 1 : Double(alpha) }
    case .thresholdedRelu(let alpha): return { $0 > Double(alpha) ? 1 : 0 }
    case .celu(let alpha): return { $0 > 0 ? 1 : Foundation.exp($0 / Double(alpha)) }
    case .elu(let alpha): return { $0 > 0 ? 1 : Double(alpha) * Foundation.exp($0) }
    case .selu(let alpha, let gamma):
      return { Double(gamma) * ($0 > 0 ? 1 : Double(alpha) * Foundation.exp($0)) }
    case .gelu(tanhApproximation: false):
      return { x in
        let density = Foundation.exp(-x * x / 2) / (2 * Double.pi).squareRoot()
        return 0.5 * (1 + Foundation.erf(x / 2.0.squareRoot())) + x * density
      }
    case .gelu(tanhApproximation: true):
      let slope = (2 / Double.pi).squareRoot()
      return { x in
        let tangent = Foundation.tanh(slope * (x + 0.044715 * x * x * x))
        let inner = slope * (1 + 3 * 0.044715 * x * x)
        return 0.5 * (1 + tangent) + 0.5 * x * (1 - tangent * tangent) * inner
      }
    case .hardSigmoid(let alpha, let beta):
      return { x in
        let value = Double(alpha) * x + Double(beta)
        return value > 0 && value < 1 ? Double(alpha) : 0
      }
    case .hardSwish: return { Unary.hardSwishSlope($0) }
    case .mish:
      return { x in
        let tangent = Foundation.tanh(Unary.softplus(x))
        return tangent + x * Unary.sigmoid(x) * (1 - tangent * tangent)
      }
    case .softplus: return { Unary.sigmoid($0) }
    case .softsign: return { 1 / ((1 + $0.magnitude) * (1 + $0.magnitude)) }
    case .sigmoid:
      return { x in
        let value = Unary.sigmoid(x)
        return value * (1 - value)
      }
    case .swish(let alpha):
      return { x in
        let value = Unary.sigmoid(Double(alpha) * x)
        return value + Double(alpha) * x * value * (1 - value)
      }
    case .shrink(_, let lambda):
      return { $0 < -Double(lambda) || $0 > Double(lambda) ? 1 : 0 }
    default: return { _ in 1 }
    }
  }

  static func hardSwishSlope(_ x: Double) -> Double { x <= -3 ? 0 : (x < 3 ? x / 3 + 0.5 : 1) }
}
