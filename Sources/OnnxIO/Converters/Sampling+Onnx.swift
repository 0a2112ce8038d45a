// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension GridSample: OnnxConvertible {
  static let onnxOperators = ["GridSample"]

  /// Before operator set 20, the modes are called bilinear and bicubic.
  init(onnx node: inout OnnxNode) throws(ConversionError) {
    let names = ["bilinear": "linear", "bicubic": "cubic"]
    let given = try node.string("mode", default: "linear")
    guard let mode = Mode(rawValue: names[given] ?? given) else {
      throw .invalid(
        .invalidAttribute(name: "mode", found: given, expected: "nearest, linear or cubic"))
    }
    let padding = try node.string("padding_mode", default: "zeros")
    guard let outside = Outside(rawValue: padding) else {
      throw .invalid(
        .invalidAttribute(
          name: "padding_mode", found: padding, expected: "zeros, border or reflection"))
    }
    self.init(
      mode: mode, outside: outside, alignsCorners: try node.bool("align_corners", default: false))
  }

  func write(to form: inout OnnxForm) {
    form.require(form.type(0)?.rank == 4 ? 16 : 20)
    let old: [Mode: String] = [.linear: "bilinear", .cubic: "bicubic"]
    form.set("mode", form.opset < 20 ? old[mode] ?? mode.rawValue : mode.rawValue)
    form.set("padding_mode", outside.rawValue, unless: "zeros")
    form.set("align_corners", alignsCorners, unless: false)
  }
}

extension RegionAlignment: OnnxConvertible {
  static let onnxOperators = ["RoiAlign"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    let common = node.opset < 16 ? "output_half_pixel" : "half_pixel"
    let coordinates = try node.string("coordinate_transformation_mode", default: common)
    guard coordinates == "half_pixel" || coordinates == "output_half_pixel" else {
      throw .invalid(
        .invalidAttribute(
          name: "coordinate_transformation_mode", found: coordinates,
          expected: "half_pixel or output_half_pixel"))
    }
    let mode = try node.string("mode", default: "avg")
    guard mode == "avg" || mode == "max" else {
      throw .invalid(.invalidAttribute(name: "mode", found: mode, expected: "avg or max"))
    }
    self.init(
      outputHeight: try node.int("output_height", default: 1, in: 1...65536),
      outputWidth: try node.int("output_width", default: 1, in: 1...65536),
      sampling: try node.int("sampling_ratio", default: 0, in: 0...RegionAlignment.samplingLimit),
      scale: try node.float("spatial_scale", default: 1), takesMaximum: mode == "max",
      hasHalfPixels: coordinates == "half_pixel")
  }

  func write(to form: inout OnnxForm) {
    form.require(hasHalfPixels ? 16 : 10)
    if form.opset >= 16, !hasHalfPixels {
      form.set("coordinate_transformation_mode", "output_half_pixel")
    }
    form.set("mode", takesMaximum ? "max" : "avg", unless: "avg")
    form.set("output_height", outputHeight, unless: 1)
    form.set("output_width", outputWidth, unless: 1)
    form.set("sampling_ratio", sampling, unless: 0)
    form.set("spatial_scale", scale, unless: 1)
  }
}

extension DeformableConvolution: OnnxConvertible {
  static let onnxOperators = ["DeformConv"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    node.ignore("kernel_shape")
    self.init(
      strides: try node.extents("strides"), dilations: try node.extents("dilations"),
      pads: try node.bounded(try node.ints("pads") ?? [], "pads", in: 0...65536),
      group: try node.int("group", default: 1, in: 1...Int(Int32.max)),
      offsetGroups: try node.int("offset_group", default: 1, in: 1...Int(Int32.max)))
  }

  func write(to form: inout OnnxForm) {
    form.require(19)
    form.setKernelShape(ofInput: 1)
    form.set("strides", unlessEmpty: strides)
    form.set("dilations", unlessEmpty: dilations)
    form.set("pads", unlessEmpty: pads)
    form.set("group", group, unless: 1)
    form.set("offset_group", offsetGroups, unless: 1)
  }
}

extension ColumnsToImage: OnnxConvertible {
  static let onnxOperators = ["Col2Im"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      strides: try node.extents("strides"), dilations: try node.extents("dilations"),
      pads: try node.bounded(try node.ints("pads") ?? [], "pads", in: 0...65536))
  }

  func write(to form: inout OnnxForm) {
    form.require(18)
    form.set("strides", unlessEmpty: strides)
    form.set("dilations", unlessEmpty: dilations)
    form.set("pads", unlessEmpty: pads)
  }
}

extension NonMaxSuppression: OnnxConvertible {
  static let onnxOperators = ["NonMaxSuppression"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(isCentered: try node.bool("center_point_box", default: false))
  }

  func write(to form: inout OnnxForm) {
    form.require(10)
    form.set("center_point_box", isCentered, unless: false)
  }
}

extension LpPool: OnnxConvertible {
  static let onnxOperators = ["LpPool"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      window: try node.poolingWindow(), order: try node.int("p", default: 2, in: 1...1024))
  }

  func write(to form: inout OnnxForm) {
    form.setWindow(window)
    form.require(!window.dilations.isEmpty || window.ceilMode ? 18 : 2)
    form.set("p", order, unless: 2)
  }
}

extension GlobalLpPool: OnnxConvertible {
  static let onnxOperators = ["GlobalLpPool"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(order: try node.int("p", default: 2, in: 1...1024))
  }

  func write(to form: inout OnnxForm) { form.set("p", order, unless: 2) }
}

extension MaxUnpool: OnnxConvertible {
  static let onnxOperators = ["MaxUnpool"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(window: try node.poolingWindow())
  }

  func write(to form: inout OnnxForm) {
    form.require(9)
    form.setWindow(window)
  }
}
