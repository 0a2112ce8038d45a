// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension Conv: OnnxConvertible {
  static let onnxOperators = ["Conv"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    node.ignore("kernel_shape")
    self.init(
      strides: try node.extents("strides"), dilations: try node.extents("dilations"),
      padding: try node.padding(),
      group: try node.int("group", default: 1, in: 1...Int(Int32.max)))
  }

  func write(to form: inout OnnxForm) {
    form.setKernelShape(ofInput: 1)
    form.set("strides", unlessEmpty: strides)
    form.set("dilations", unlessEmpty: dilations)
    form.setPadding(padding)
    form.set("group", group, unless: 1)
  }
}

extension ConvTranspose: OnnxConvertible {
  static let onnxOperators = ["ConvTranspose"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    node.ignore("kernel_shape")
    let added = try node.ints("output_padding") ?? []
    self.init(
      strides: try node.extents("strides"), dilations: try node.extents("dilations"),
      padding: try node.padding(),
      group: try node.int("group", default: 1, in: 1...Int(Int32.max)),
      outputPadding: try node.bounded(added, "output_padding", in: 0...65536))
    if node.has("output_shape") { outputShape = try node.extents("output_shape") }
  }

  func write(to form: inout OnnxForm) {
    form.setKernelShape(ofInput: 1)
    form.set("strides", unlessEmpty: strides)
    form.set("dilations", unlessEmpty: dilations)
    form.setPadding(padding)
    form.set("group", group, unless: 1)
    form.set("output_padding", unlessEmpty: outputPadding)
    if let outputShape { form.set("output_shape", outputShape) }
  }
}

extension ConvInteger: OnnxConvertible {
  static let onnxOperators = ["ConvInteger"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    let plain = try Conv(onnx: &node)
    self.init(
      strides: plain.strides, dilations: plain.dilations, padding: plain.padding,
      group: plain.group)
  }

  func write(to form: inout OnnxForm) {
    form.require(10)
    form.setKernelShape(ofInput: 1)
    form.set("strides", unlessEmpty: strides)
    form.set("dilations", unlessEmpty: dilations)
    form.setPadding(padding)
    form.set("group", group, unless: 1)
  }
}

extension QLinearConv: OnnxConvertible {
  static let onnxOperators = ["QLinearConv"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    let plain = try Conv(onnx: &node)
    self.init(
      strides: plain.strides, dilations: plain.dilations, padding: plain.padding,
      group: plain.group)
  }

  func write(to form: inout OnnxForm) {
    form.require(10)
    form.setKernelShape(ofInput: 3)
    form.set("strides", unlessEmpty: strides)
    form.set("dilations", unlessEmpty: dilations)
    form.setPadding(padding)
    form.set("group", group, unless: 1)
  }
}
