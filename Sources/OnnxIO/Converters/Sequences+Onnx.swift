// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension BitCast: OnnxConvertible {
  static let onnxOperators = ["BitCast"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    guard let target = try node.elementType("to") else {
      throw .invalid(.missingAttribute("to", expected: "an element type"))
    }
    self.init(to: target)
  }

  func write(to form: inout OnnxForm) {
    form.require(26)
    form.set("to", target)
  }
}

extension Compress: OnnxConvertible {
  static let onnxOperators = ["Compress"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(axis: try node.optionalInt("axis", in: -64...64))
  }

  func write(to form: inout OnnxForm) {
    form.require(axis ?? 0 < 0 ? 11 : 9)
    if let axis { form.set("axis", axis) }
  }
}

extension ReverseSequence: OnnxConvertible {
  static let onnxOperators = ["ReverseSequence"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      batchAxis: try node.int("batch_axis", default: 1, in: 0...1),
      timeAxis: try node.int("time_axis", default: 0, in: 0...1))
  }

  func write(to form: inout OnnxForm) {
    form.require(10)
    form.set("batch_axis", batchAxis, unless: 1)
    form.set("time_axis", timeAxis, unless: 0)
  }
}

extension TensorScatter: OnnxConvertible {
  static let onnxOperators = ["TensorScatter"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    let mode = try node.string("mode", default: "linear")
    guard mode == "linear" || mode == "circular" else {
      throw .invalid(
        .invalidAttribute(name: "mode", found: mode, expected: "linear or circular"))
    }
    self.init(axis: try node.axis(default: -2), wrapsAround: mode == "circular")
  }

  func write(to form: inout OnnxForm) {
    form.require(24)
    form.set("axis", axis, unless: -2)
    form.set("mode", wrapsAround ? "circular" : "linear", unless: "linear")
  }
}

extension Determinant: OnnxConvertible {
  static let onnxOperators = ["Det"]
  init(onnx node: inout OnnxNode) { self.init() }
  func write(to form: inout OnnxForm) { form.require(11) }
}

extension Unique: OnnxConvertible {
  static let onnxOperators = ["Unique"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      axis: try node.optionalInt("axis", in: -64...64),
      sorts: try node.bool("sorted", default: true))
  }

  func write(to form: inout OnnxForm) {
    form.require(11)
    if let axis { form.set("axis", axis) }
    form.set("sorted", sorts, unless: true)
  }
}
