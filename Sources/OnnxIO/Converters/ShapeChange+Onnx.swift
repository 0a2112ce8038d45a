// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension Reshape: OnnxConvertible {
  static let onnxOperators = ["Reshape"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    node.ignore("consumed_inputs")
    self.init(allowsZero: try node.bool("allowzero", default: false))
    if node.opset < 5, let shape = try node.ints("shape") {
      node.setInput(1, to: shape, suffix: "shape")
    }
  }

  func write(to form: inout OnnxForm) {
    form.require(allowsZero ? 14 : 5)
    form.set("allowzero", allowsZero, unless: false)
  }
}

extension Flatten: OnnxConvertible {
  static let onnxOperators = ["Flatten"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(axis: try node.axis(default: 1))
  }

  func write(to form: inout OnnxForm) {
    if axis < 0 { form.require(11) }
    if let type = form.type(0)?.elementType, !type.isFloatingPoint { form.require(9) }
    form.set("axis", axis, unless: 1)
  }
}

extension Squeeze: OnnxConvertible {
  static let onnxOperators = ["Squeeze"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init()
    if node.opset < 13, let axes = try node.ints("axes") {
      node.setInput(1, to: axes, suffix: "axes")
    }
  }

  func write(to form: inout OnnxForm) { form.moveIntegers(1, to: "axes", before: 13) }
}

extension Unsqueeze: OnnxConvertible {
  static let onnxOperators = ["Unsqueeze"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init()
    guard node.opset < 13 else { return }
    guard let axes = try node.ints("axes") else {
      throw .invalid(.missingAttribute("axes", expected: "a list of axes"))
    }
    node.setInput(1, to: axes, suffix: "axes")
  }

  func write(to form: inout OnnxForm) { form.moveIntegers(1, to: "axes", before: 13) }
}

extension Transpose: OnnxConvertible {
  static let onnxOperators = ["Transpose"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    guard let permutation = try node.ints("perm") else {
      self.init()
      return
    }
    self.init(permutation: try node.bounded(permutation, "perm", in: 0...63))
  }

  func write(to form: inout OnnxForm) {
    if let permutation { form.set("perm", permutation) }
  }
}

extension Expand: OnnxConvertible {
  static let onnxOperators = ["Expand"]
  init(onnx node: inout OnnxNode) { self.init() }
  func write(to form: inout OnnxForm) { form.require(8) }
}

extension Tile: OnnxConvertible {
  static let onnxOperators = ["Tile"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    if node.opset < 6 { throw .unsupported("a repeat along one axis, as before operator set 6") }
    self.init()
  }

  func write(to form: inout OnnxForm) { form.require(6) }
}

extension DepthToSpace: OnnxConvertible {
  static let onnxOperators = ["DepthToSpace"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    let name = try node.string("mode", default: "DCR")
    guard let order = Order(rawValue: name) else {
      throw .invalid(.invalidAttribute(name: "mode", found: name, expected: "DCR or CRD"))
    }
    self.init(blockSize: try node.blockSize(), order: order)
  }

  func write(to form: inout OnnxForm) {
    form.set("blocksize", blockSize)
    if order != .depthColumnRow {
      form.require(11)
      form.set("mode", order.rawValue)
    }
  }
}

extension SpaceToDepth: OnnxConvertible {
  static let onnxOperators = ["SpaceToDepth"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    let name = try node.string("mode", default: "DCR")
    guard let order = DepthToSpace.Order(rawValue: name) else {
      throw .invalid(.invalidAttribute(name: "mode", found: name, expected: "DCR or CRD"))
    }
    self.init(blockSize: try node.blockSize(), order: order)
  }

  func write(to form: inout OnnxForm) {
    form.set("blocksize", blockSize)
    if order != .depthColumnRow {
      form.require(28)
      form.set("mode", order.rawValue)
    }
  }
}

extension OnnxNode {
  fileprivate mutating func blockSize() throws(ConversionError) -> Int {
    guard has("blocksize") else {
      throw .invalid(.missingAttribute("blocksize", expected: "1 or more"))
    }
    return try int("blocksize", default: 1, in: 1...65536)
  }
}
