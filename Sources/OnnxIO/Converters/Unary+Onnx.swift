// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension Unary: OnnxConvertible {
  static let onnxOperators =
    Array(plainFunctions.keys).sorted() + [
      "Celu", "Elu", "Gelu", "HardSigmoid", "IsInf", "LeakyRelu", "Selu", "Shrink", "Swish",
      "ThresholdedRelu",
    ]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    node.ignore("consumed_inputs")
    if let function = Unary.plainFunctions[node.kind] {
      self.init(function)
      return
    }
    switch node.kind {
    case "Celu": self.init(.celu(alpha: try node.float("alpha", default: 1)))
    case "Elu": self.init(.elu(alpha: try node.float("alpha", default: 1)))
    case "Gelu":
      let approximation = try node.string("approximate", default: "none")
      guard approximation == "none" || approximation == "tanh" else {
        throw .invalid(
          .invalidAttribute(
            name: "approximate", found: approximation, expected: "none or tanh"))
      }
      self.init(.gelu(tanhApproximation: approximation == "tanh"))
    case "HardSigmoid":
      self.init(
        .hardSigmoid(
          alpha: try node.float("alpha", default: 0.2),
          beta: try node.float("beta", default: 0.5)))
    case "IsInf":
      self.init(
        .isInfinity(
          detectsNegative: try node.bool("detect_negative", default: true),
          detectsPositive: try node.bool("detect_positive", default: true)))
    case "LeakyRelu": self.init(.leakyRelu(alpha: try node.float("alpha", default: 0.01)))
    case "Selu":
      let isFirst = node.opset < 6
      self.init(
        .selu(
          alpha: try node.float("alpha", default: isFirst ? 1.6732 : Unary.seluAlpha),
          gamma: try node.float("gamma", default: isFirst ? 1.0507 : Unary.seluGamma)))
    case "Shrink":
      self.init(
        .shrink(
          bias: try node.float("bias", default: 0), lambda: try node.float("lambd", default: 0.5)))
    case "Swish": self.init(.swish(alpha: try node.float("alpha", default: 1)))
    case "ThresholdedRelu":
      self.init(.thresholdedRelu(alpha: try node.float("alpha", default: 1)))
    default: throw .unsupported("unknown")
    }
  }

  func write(to form: inout OnnxForm) {
    form.require(Unary.introductions[kind] ?? 6)
    switch function {
    case .celu(let alpha), .elu(let alpha), .swish(let alpha), .thresholdedRelu(let alpha):
      form.set("alpha", alpha, unless: 1)
    case .gelu(let tanhApproximation):
      form.set("approximate", tanhApproximation ? "tanh" : "none", unless: "none")
    case .hardSigmoid(let alpha, let beta):
      form.set("alpha", alpha, unless: 0.2)
      form.set("beta", beta, unless: 0.5)
    case .isInfinity(let detectsNegative, let detectsPositive):
      form.set("detect_negative", detectsNegative, unless: true)
      form.set("detect_positive", detectsPositive, unless: true)
      if let type = form.type(0)?.elementType, type.bitWidth == 16 { form.require(20) }
    case .leakyRelu(let alpha): form.set("alpha", alpha, unless: 0.01)
    case .selu(let alpha, let gamma):
      form.set("alpha", alpha, unless: Unary.seluAlpha)
      form.set("gamma", gamma, unless: Unary.seluGamma)
    case .shrink(let bias, let lambda):
      form.set("bias", bias, unless: 0)
      form.set("lambd", lambda, unless: 0.5)
    case .relu:
      if let type = form.type(0)?.elementType, type.isInteger { form.require(14) }
    default: break
    }
  }

  /// Defaults of `Selu` since operator set 6.
  private static let seluAlpha: Float = 1.67326319217681884765625
  private static let seluGamma: Float = 1.05070102214813232421875

  private static let plainFunctions: [String: Function] = {
    let functions: [Function] = [
      .abs, .acos, .acosh, .asin, .asinh, .atan, .atanh, .bitwiseNot, .ceil, .cos, .cosh, .erf,
      .exp, .floor, .hardSwish, .isNaN, .log, .mish, .negate, .not, .reciprocal, .relu, .round,
      .sigmoid, .sign, .sin, .sinh, .softplus, .softsign, .sqrt, .tan, .tanh,
    ]
    return Dictionary(uniqueKeysWithValues: functions.map { (Unary($0).kind, $0) })
  }()

  /// The operator sets that introduced the later ones.
  private static let introductions = [
    "Acos": 7, "Asin": 7, "Atan": 7, "Cos": 7, "Sin": 7, "Tan": 7,
    "Acosh": 9, "Asinh": 9, "Atanh": 9, "Cosh": 9, "Sinh": 9, "Erf": 9, "IsNaN": 9, "Sign": 9,
    "Shrink": 9, "IsInf": 10, "ThresholdedRelu": 10, "Round": 11, "Celu": 12, "HardSwish": 14,
    "BitwiseNot": 18, "Mish": 18, "Gelu": 20, "Swish": 24,
  ]
}
