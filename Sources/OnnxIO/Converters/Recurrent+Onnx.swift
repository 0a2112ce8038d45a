// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension Recurrent: OnnxConvertible {
  static let onnxOperators = ["RNN", "GRU", "LSTM"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    let cell: Cell
    switch node.kind {
    case "GRU":
      cell = .gru(linearBeforeReset: try node.bool("linear_before_reset", default: false))
    case "LSTM":
      cell = .lstm(couplesInputAndForget: try node.bool("input_forget", default: false))
    default: cell = .rnn
    }
    if node.opset < 7 { node.ignore("output_sequence") }
    let name = try node.string("direction", default: "forward")
    guard let direction = Direction(rawValue: name) else {
      throw .invalid(
        .invalidAttribute(
          name: "direction", found: name, expected: "forward, reverse or bidirectional"))
    }
    self.init(
      cell, hiddenSize: try node.optionalInt("hidden_size", in: 1...(1 << 24)),
      direction: direction, activations: try Recurrent.activations(&node),
      clip: try node.float("clip"), isBatchFirst: try node.bool("layout", default: false))
  }

  private static func activations(
    _ node: inout OnnxNode
  ) throws(ConversionError) -> [Activation]? {
    var alphas = (try node.floats("activation_alpha") ?? [])[...]
    var betas = (try node.floats("activation_beta") ?? [])[...]
    guard let names = try node.strings("activations") else { return nil }
    var result: [Activation] = []
    for name in names {
      func alpha(_ common: Float) -> Float { alphas.popFirst() ?? common }
      func beta(_ common: Float) -> Float { betas.popFirst() ?? common }
      switch name.lowercased() {
      case "relu": result.append(.relu)
      case "tanh": result.append(.tanh)
      case "sigmoid": result.append(.sigmoid)
      case "softsign": result.append(.softsign)
      case "softplus": result.append(.softplus)
      case "affine": result.append(.affine(alpha: alpha(1), beta: beta(0)))
      case "scaledtanh": result.append(.scaledTanh(alpha: alpha(1), beta: beta(1)))
      case "hardsigmoid": result.append(.hardSigmoid(alpha: alpha(0.2), beta: beta(0.5)))
      case "leakyrelu": result.append(.leakyRelu(alpha: alpha(0.01)))
      case "thresholdedrelu": result.append(.thresholdedRelu(alpha: alpha(1)))
      case "elu": result.append(.elu(alpha: alpha(1)))
      default: throw .unsupported("activation \(name)")
      }
    }
    return result
  }

  func write(to form: inout OnnxForm) {
    form.require(isBatchFirst ? 14 : 7)
    if let hiddenSize { form.set("hidden_size", hiddenSize) }
    form.set("direction", direction.rawValue, unless: "forward")
    if activations != Recurrent(cell, direction: direction).activations {
      let written = activations.map(\.onnx)
      form.set("activations", written.map(\.name))
      form.set("activation_alpha", unlessEmpty: written.compactMap(\.alpha))
      form.set("activation_beta", unlessEmpty: written.compactMap(\.beta))
    }
    if let clip { form.set("clip", clip) }
    form.set("layout", isBatchFirst, unless: false)
    switch cell {
    case .rnn: break
    case .gru(let linearBeforeReset):
      form.set("linear_before_reset", linearBeforeReset, unless: false)
    case .lstm(let couplesInputAndForget):
      form.set("input_forget", couplesInputAndForget, unless: false)
    }
  }
}

extension Recurrent.Activation {
  fileprivate var onnx: (name: String, alpha: Float?, beta: Float?) {
    switch self {
    case .relu: ("Relu", nil, nil)
    case .tanh: ("Tanh", nil, nil)
    case .sigmoid: ("Sigmoid", nil, nil)
    case .softsign: ("Softsign", nil, nil)
    case .softplus: ("Softplus", nil, nil)
    case .affine(let alpha, let beta): ("Affine", alpha, beta)
    case .scaledTanh(let alpha, let beta): ("ScaledTanh", alpha, beta)
    case .hardSigmoid(let alpha, let beta): ("HardSigmoid", alpha, beta)
    case .leakyRelu(let alpha): ("LeakyRelu", alpha, nil)
    case .thresholdedRelu(let alpha): ("ThresholdedRelu", alpha, nil)
    case .elu(let alpha): ("Elu", alpha, nil)
    }
  }
}
