// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension FourierTransform: OnnxConvertible {
  static let onnxOperators = ["DFT"]

  /// Before operator set 20, the axis is an attribute.
  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      isInverse: try node.bool("inverse", default: false),
      isOnesided: try node.bool("onesided", default: false))
    guard node.opset < 20 else { return }
    let axis = try node.axis(default: 1)
    node.setInput(2, to: Tensor(scalar: Int64(axis)), suffix: "axis")
  }

  func write(to form: inout OnnxForm) {
    form.require(17)
    if form.opset < 20 {
      guard form.hasInput(2), let axis = form.constant(2)?.integers().first else {
        return form.require(20)
      }
      form.set("axis", Int(axis))
      form.dropInputs(from: 2)
    }
    form.set("inverse", isInverse, unless: false)
    form.set("onesided", isOnesided, unless: false)
  }
}

extension ShortTimeFourierTransform: OnnxConvertible {
  static let onnxOperators = ["STFT"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(isOnesided: try node.bool("onesided", default: true))
  }

  func write(to form: inout OnnxForm) {
    form.require(17)
    form.set("onesided", isOnesided, unless: true)
  }
}

extension MelWeightMatrix: OnnxConvertible {
  static let onnxOperators = ["MelWeightMatrix"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(elementType: try node.elementType("output_datatype") ?? .float32)
  }

  func write(to form: inout OnnxForm) {
    form.require(17)
    form.set("output_datatype", elementType)
  }
}

extension LinearAttention: OnnxConvertible {
  static let onnxOperators = ["LinearAttention"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    node.ignore("chunk_size")
    let name = try node.string("update_rule", default: "gated_delta")
    guard let rule = Rule(rawValue: name) else {
      throw .invalid(
        .invalidAttribute(
          name: "update_rule", found: name, expected: "linear, gated, delta or gated_delta"))
    }
    guard let queryHeads = try node.optionalInt("q_num_heads", in: 1...65536),
      let keyHeads = try node.optionalInt("kv_num_heads", in: 1...65536)
    else {
      throw .invalid(.missingAttribute("q_num_heads", expected: "heads of query and of key"))
    }
    self.init(
      rule: rule, queryHeads: queryHeads, keyHeads: keyHeads,
      scale: try node.float("scale", default: 0))
  }

  func write(to form: inout OnnxForm) {
    form.require(27)
    form.set("update_rule", rule.rawValue)
    form.set("q_num_heads", queryHeads)
    form.set("kv_num_heads", keyHeads)
    form.set("scale", scale, unless: 0)
  }
}

extension RandomDraw: OnnxConvertible {
  static let onnxOperators = [
    "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli",
    "Multinomial",
  ]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    let distribution: Distribution
    switch node.kind {
    case "Bernoulli": distribution = .bernoulli
    case "Multinomial":
      distribution = .multinomial(
        count: try node.int("sample_size", default: 1, in: 0...Int(Int32.max)))
    case "RandomNormal", "RandomNormalLike":
      distribution = .normal(
        mean: try node.float("mean", default: 0), deviation: try node.float("scale", default: 1))
    default:
      distribution = .uniform(
        low: try node.float("low", default: 0), high: try node.float("high", default: 1))
    }
    var shape: [Int]?
    if node.kind == "RandomNormal" || node.kind == "RandomUniform" {
      shape = try node.bounded(
        try node.ints("shape") ?? [], "shape", in: 0...Int(Int32.max))
    }
    self.init(
      distribution, elementType: try node.elementType("dtype"), shape: shape,
      seed: try node.float("seed"))
  }

  func write(to form: inout OnnxForm) {
    switch distribution {
    case .bernoulli: form.require(15)
    case .multinomial(let count):
      form.require(7)
      form.set("sample_size", count, unless: 1)
    case .normal(let mean, let deviation):
      form.set("mean", mean, unless: 0)
      form.set("scale", deviation, unless: 1)
    case .uniform(let low, let high):
      form.set("low", low, unless: 0)
      form.set("high", high, unless: 1)
    }
    if let shape { form.set("shape", shape) }
    if let elementType { form.set("dtype", elementType) }
    if let seed { form.set("seed", seed) }
  }
}
