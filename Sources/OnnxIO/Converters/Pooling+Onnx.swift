// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension MaxPool: OnnxConvertible {
  static let onnxOperators = ["MaxPool"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      window: try node.poolingWindow(),
      columnMajorIndices: try node.bool("storage_order", default: false))
  }

  func write(to form: inout OnnxForm) {
    form.setWindow(window)
    if !window.dilations.isEmpty { form.require(10) }
    if columnMajorIndices || form.node.outputs.count > 1 { form.require(8) }
    form.set("storage_order", columnMajorIndices, unless: false)
    if let type = form.type(0)?.elementType, type.isInteger { form.require(12) }
  }
}

extension AveragePool: OnnxConvertible {
  static let onnxOperators = ["AveragePool"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      window: try node.poolingWindow(),
      countsPadding: try node.bool("count_include_pad", default: false))
  }

  func write(to form: inout OnnxForm) {
    var window = window
    if form.opset < 19, window.dilations.allSatisfy({ $0 == 1 }) { window.dilations = [] }
    form.setWindow(window)
    form.require(window.dilations.allSatisfy { $0 == 1 } ? 7 : 19)
    form.set("count_include_pad", countsPadding, unless: false)
  }
}

extension GlobalPool: OnnxConvertible {
  static let onnxOperators = ["GlobalAveragePool", "GlobalMaxPool"]

  init(onnx node: inout OnnxNode) {
    self.init(node.kind == "GlobalMaxPool" ? .maximum : .average)
  }
}
