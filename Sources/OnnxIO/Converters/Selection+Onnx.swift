// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension Concat: OnnxConvertible {
  static let onnxOperators = ["Concat"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(axis: node.opset < 4 ? try node.axis(default: 1) : try node.axis())
  }

  func write(to form: inout OnnxForm) {
    form.require(axis < 0 ? 11 : 4)
    form.set("axis", axis)
  }
}

extension Split: OnnxConvertible {
  static let onnxOperators = ["Split"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    let count = try node.int("num_outputs")
    if let count, count != node.outputCount {
      throw .invalid(
        .invalidAttribute(name: "num_outputs", found: "\(count)", expected: "\(node.outputCount)"))
    }
    self.init(axis: try node.axis(default: 0))
    if node.opset < 13, let lengths = try node.ints("split") {
      node.setInput(1, to: lengths, suffix: "split")
    }
  }

  func write(to form: inout OnnxForm) {
    form.require(axis < 0 ? 11 : 2)
    form.set("axis", axis, unless: 0)
    form.moveIntegers(1, to: "split", before: 13)
    guard form.node.inputs.count < 2 || form.node.inputs[1] == nil else { return }
    if form.opset >= 18 { form.set("num_outputs", form.node.outputs.count) }
    let extent = form.type(0).flatMap { type -> Int? in
      guard let dimensions = type.dimensions else { return nil }
      let position = axis < 0 ? axis + dimensions.count : axis
      return dimensions.indices.contains(position) ? dimensions[position].value : nil
    }
    if let extent, extent % max(1, form.node.outputs.count) != 0 { form.require(18) }
  }
}

extension Slice: OnnxConvertible {
  static let onnxOperators = ["Slice"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init()
    guard node.opset < 10 else { return }
    guard let starts = try node.ints("starts"), let ends = try node.ints("ends") else {
      throw .invalid(.missingAttribute("starts", expected: "starts and ends"))
    }
    node.setInput(1, to: starts, suffix: "starts")
    node.setInput(2, to: ends, suffix: "ends")
    if let axes = try node.ints("axes") { node.setInput(3, to: axes, suffix: "axes") }
  }

  func write(to form: inout OnnxForm) {
    if form.hasInput(4) { form.require(10) }
    form.moveIntegers(1, to: "starts", before: 10)
    form.moveIntegers(2, to: "ends", before: 10)
    form.moveIntegers(3, to: "axes", before: 10)
  }
}

extension Gather: OnnxConvertible {
  static let onnxOperators = ["Gather"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(axis: try node.axis(default: 0))
  }

  func write(to form: inout OnnxForm) { form.set("axis", axis, unless: 0) }
}

extension Pad: OnnxConvertible {
  static let onnxOperators = ["Pad"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    let name = try node.string("mode", default: "constant")
    guard let mode = Mode(rawValue: name) else {
      throw .invalid(
        .invalidAttribute(
          name: "mode", found: name, expected: "constant, reflect, edge or wrap"))
    }
    self.init(mode: mode)
    guard node.opset < 11 else { return }
    guard let pads = try node.ints(node.opset < 2 ? "paddings" : "pads") else {
      throw .invalid(.missingAttribute("pads", expected: "two for each axis"))
    }
    node.setInput(1, to: pads, suffix: "pads")
    if let value = try node.float("value") { node.setInput(2, toScalar: value, suffix: "value") }
  }

  func write(to form: inout OnnxForm) {
    if mode == .wrap { form.require(19) }
    if form.hasInput(3) { form.require(18) }
    form.require(2)
    form.set("mode", mode.rawValue, unless: "constant")
    form.moveIntegers(1, to: "pads", before: 11)
    form.moveNumber(2, to: "value", before: 11)
  }
}
