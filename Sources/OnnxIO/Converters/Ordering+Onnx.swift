// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension TopK: OnnxConvertible {
  static let onnxOperators = ["TopK"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      axis: try node.axis(default: -1), selectsLargest: try node.bool("largest", default: true),
      sorts: try node.bool("sorted", default: true))
    guard node.opset < 10 else { return }
    guard let count = try node.int("k") else {
      throw .invalid(.missingAttribute("k", expected: "a number of elements"))
    }
    node.setInput(1, to: [count], suffix: "k")
  }

  func write(to form: inout OnnxForm) {
    form.set("axis", axis, unless: -1)
    form.set("largest", selectsLargest, unless: true)
    form.set("sorted", sorts, unless: true)
    if !selectsLargest || !sorts { form.require(11) }
    guard form.opset < 10 else { return }
    guard let count = form.constant(1)?.integers().first else { return form.require(10) }
    form.set("k", Int(count))
    form.inputs[1] = nil
  }
}

extension CumSum: OnnxConvertible {
  static let onnxOperators = ["CumSum", "CumProd"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      isExclusive: try node.bool("exclusive", default: false),
      isReversed: try node.bool("reverse", default: false), multiplies: node.kind == "CumProd")
  }

  func write(to form: inout OnnxForm) {
    form.require(multiplies ? 26 : 11)
    form.set("exclusive", isExclusive, unless: false)
    form.set("reverse", isReversed, unless: false)
  }
}

extension Trilu: OnnxConvertible {
  static let onnxOperators = ["Trilu"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(isUpper: try node.bool("upper", default: true))
  }

  func write(to form: inout OnnxForm) {
    form.require(14)
    form.set("upper", isUpper, unless: true)
  }
}

extension NonZero: OnnxConvertible {
  static let onnxOperators = ["NonZero"]
  init(onnx node: inout OnnxNode) { self.init() }
  func write(to form: inout OnnxForm) { form.require(9) }
}

extension EyeLike: OnnxConvertible {
  static let onnxOperators = ["EyeLike"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      elementType: try node.elementType("dtype"),
      offset: try node.int("k", default: 0, in: -Int(Int32.max)...Int(Int32.max)))
  }

  func write(to form: inout OnnxForm) {
    form.require(9)
    if let elementType { form.set("dtype", elementType) }
    form.set("k", offset, unless: 0)
  }
}
