// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension Attention: OnnxConvertible {
  static let onnxOperators = ["Attention"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      queryHeads: try node.optionalInt("q_num_heads", in: 1...65536),
      keyHeads: try node.optionalInt("kv_num_heads", in: 1...65536),
      scale: try node.float("scale"), isCausal: try node.bool("is_causal", default: false))
    softcap = try node.float("softcap", default: 0)
    scores = Scores(rawValue: try node.int("qk_matmul_output_mode", default: 0, in: 0...3)) ?? .raw
    if let code = try node.int("softmax_precision"), code != 0 {
      guard let type = OnnxElementTypes.type(code), type.isFloatingPoint else {
        throw .unsupported("softmax_precision is \(OnnxElementTypes.name(code))")
      }
      softmaxPrecision = type
    }
    leftWindow = try node.int("left_window_size", default: -1, in: -1...Int(Int32.max))
    rightWindow = try node.int("right_window_size", default: -1, in: -1...Int(Int32.max))
  }

  func write(to form: inout OnnxForm) {
    form.require(form.hasInput(6) ? 24 : 23)
    if let queryHeads { form.set("q_num_heads", queryHeads) }
    if let keyHeads { form.set("kv_num_heads", keyHeads) }
    if let scale { form.set("scale", scale) }
    form.set("is_causal", isCausal, unless: false)
    form.set("softcap", softcap, unless: 0)
    form.set("qk_matmul_output_mode", scores.rawValue, unless: 0)
    if let softmaxPrecision { form.set("softmax_precision", softmaxPrecision) }
    if leftWindow >= 0 || rightWindow >= 0 {
      form.require(25)
      form.set("left_window_size", leftWindow, unless: -1)
      form.set("right_window_size", rightWindow, unless: -1)
    }
  }
}

extension RotaryEmbedding: OnnxConvertible {
  static let onnxOperators = ["RotaryEmbedding"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      isInterleaved: try node.bool("interleaved", default: false),
      turnedCount: try node.int("rotary_embedding_dim", default: 0, in: 0...65536),
      heads: try node.int("num_heads", default: 0, in: 0...65536))
  }

  func write(to form: inout OnnxForm) {
    form.require(23)
    form.set("interleaved", isInterleaved, unless: false)
    form.set("rotary_embedding_dim", turnedCount, unless: 0)
    form.set("num_heads", heads, unless: 0)
  }
}

extension RMSNormalization: OnnxConvertible {
  static let onnxOperators = ["RMSNormalization"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      axis: try node.axis(default: -1), epsilon: try node.float("epsilon", default: 1e-5),
      precision: try node.stashType())
  }

  func write(to form: inout OnnxForm) {
    form.require(23)
    form.set("axis", axis, unless: -1)
    form.set("epsilon", epsilon, unless: 1e-5)
    form.setStashType(precision)
  }
}

extension GroupNormalization: OnnxConvertible {
  static let onnxOperators = ["GroupNormalization"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    guard node.has("num_groups") else {
      throw .invalid(.missingAttribute("num_groups", expected: "a number of groups"))
    }
    self.init(
      groups: try node.int("num_groups", default: 1, in: 1...65536),
      epsilon: try node.float("epsilon", default: 1e-5), scalesGroups: node.opset < 21,
      precision: node.opset < 21 ? nil : try node.stashType())
  }

  func write(to form: inout OnnxForm) throws(ConversionError) {
    form.require(scalesGroups ? 18 : 21)
    if scalesGroups, form.opset >= 21 {
      throw .unsupported("scales of groups, which operator set 21 no longer has")
    }
    form.set("num_groups", groups)
    form.set("epsilon", epsilon, unless: 1e-5)
    if !scalesGroups { form.setStashType(precision) }
  }
}

extension MeanVarianceNormalization: OnnxConvertible {
  static let onnxOperators = ["MeanVarianceNormalization"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(axes: try node.ints("axes") ?? [0, 2, 3])
  }

  func write(to form: inout OnnxForm) {
    form.require(9)
    form.set("axes", axes)
  }
}

extension LpNormalization: OnnxConvertible {
  static let onnxOperators = ["LpNormalization"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(axis: try node.axis(default: -1), order: try node.int("p", default: 2))
  }

  func write(to form: inout OnnxForm) {
    form.set("axis", axis, unless: -1)
    form.set("p", order, unless: 2)
  }
}

extension Hardmax: OnnxConvertible {
  static let onnxOperators = ["Hardmax"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    let isFlat = node.opset < 13
    self.init(axis: try node.axis(default: isFlat ? 1 : -1), flattensTrailingAxes: isFlat)
  }

  func write(to form: inout OnnxForm) throws(ConversionError) {
    let isFlatThere = form.opset < 13
    let isLast = axis == -1 || form.type(0)?.rank.map { axis == $0 - 1 } == true
    if flattensTrailingAxes != isFlatThere, !isLast {
      guard isFlatThere else {
        throw .unsupported("one axis out of several, as before operator set 13")
      }
      form.require(13)
    }
    form.set("axis", axis, unless: isFlatThere ? 1 : -1)
  }
}

extension NegativeLogLikelihoodLoss: OnnxConvertible {
  static let onnxOperators = ["NegativeLogLikelihoodLoss"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      reduction: try node.lossReduction(), ignoredClass: try node.int("ignore_index"))
  }

  func write(to form: inout OnnxForm) {
    form.require(12)
    form.set(reduction, ignoredClass)
  }
}

extension SoftmaxCrossEntropyLoss: OnnxConvertible {
  static let onnxOperators = ["SoftmaxCrossEntropyLoss"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      reduction: try node.lossReduction(), ignoredClass: try node.int("ignore_index"))
  }

  func write(to form: inout OnnxForm) {
    form.require(12)
    form.set(reduction, ignoredClass)
  }
}

extension AffineGrid: OnnxConvertible {
  static let onnxOperators = ["AffineGrid"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(alignsCorners: try node.bool("align_corners", default: false))
  }

  func write(to form: inout OnnxForm) {
    form.require(20)
    form.set("align_corners", alignsCorners, unless: false)
  }
}

extension CenterCropPad: OnnxConvertible {
  static let onnxOperators = ["CenterCropPad"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(axes: try node.ints("axes"))
  }

  func write(to form: inout OnnxForm) {
    form.require(18)
    if let axes { form.set("axes", axes) }
  }
}

extension SignalWindow: OnnxConvertible {
  static let onnxOperators = ["HannWindow", "HammingWindow", "BlackmanWindow"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    guard let form = Form(rawValue: node.kind) else { throw .unsupported("unknown") }
    self.init(
      form, isPeriodic: try node.bool("periodic", default: true),
      elementType: try node.elementType("output_datatype") ?? .float32)
  }

  func write(to form: inout OnnxForm) {
    form.require(17)
    form.set("periodic", isPeriodic, unless: true)
    form.set("output_datatype", elementType)
  }
}

extension SwiGLU: OnnxConvertible {
  static let onnxOperators = ["SwiGLU"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(alpha: try node.float("alpha", default: 1))
  }

  func write(to form: inout OnnxForm) {
    form.require(28)
    form.set("alpha", alpha, unless: 1)
  }
}

extension CausalConvWithState: OnnxConvertible {
  static let onnxOperators = ["CausalConvWithState"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    let activation = try node.string("activation", default: "none")
    guard ["none", "silu", "swish"].contains(activation) else {
      throw .invalid(
        .invalidAttribute(
          name: "activation", found: activation, expected: "none, silu or swish"))
    }
    self.init(gates: activation != "none")
  }

  func write(to form: inout OnnxForm) {
    form.require(27)
    if gates { form.set("activation", "silu") }
  }
}

extension OnnxNode {
  /// The type of statistics; `nil` for that of the data.
  fileprivate mutating func stashType() throws(ConversionError) -> ElementType? {
    let code = try int("stash_type", default: 1)
    if code == 0 { return nil }
    guard let type = OnnxElementTypes.type(code), type.isFloatingPoint else {
      throw .unsupported("statistics of type \(OnnxElementTypes.name(code)) (stash_type)")
    }
    return type
  }

  fileprivate mutating func lossReduction() throws(ConversionError) -> LossReduction {
    let name = try string("reduction", default: "mean")
    guard let reduction = LossReduction(rawValue: name) else {
      throw .invalid(
        .invalidAttribute(name: "reduction", found: name, expected: "none, sum or mean"))
    }
    return reduction
  }

  /// A small integer that may be left out.
  mutating func optionalInt(
    _ name: String, in range: ClosedRange<Int>
  ) throws(ConversionError) -> Int? {
    has(name) ? try int(name, default: range.lowerBound, in: range) : nil
  }
}

extension OnnxForm {
  fileprivate mutating func setStashType(_ type: ElementType?) {
    if type != .float32 { set("stash_type", type.map { OnnxElementTypes.code($0) } ?? 0) }
  }

  fileprivate mutating func set(_ reduction: LossReduction, _ ignoredClass: Int?) {
    set("reduction", reduction.rawValue, unless: "mean")
    if let ignoredClass { set("ignore_index", ignoredClass) }
  }
}
