// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension Reduce: OnnxConvertible {
  static let onnxOperators = Function.allCases.map(\.rawValue)

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    guard let function = Function(rawValue: node.kind) else { throw .unsupported("unknown") }
    self.init(
      function, keepsDimensions: try node.bool("keepdims", default: true),
      emptyAxesMeanNone: try node.bool("noop_with_empty_axes", default: false))
    if node.opset < axesInputOpset, let axes = try node.ints("axes") {
      node.setInput(1, to: axes, suffix: "axes")
    }
  }

  func write(to form: inout OnnxForm) {
    form.moveIntegers(1, to: "axes", before: axesInputOpset)
    form.set("keepdims", keepsDimensions, unless: true)
    if form.type(0)?.elementType == .bool { form.require(20) }
    if emptyAxesMeanNone {
      form.require(axesInputOpset)
      form.set("noop_with_empty_axes", true)
    }
  }

  /// The operator set in which the axes became an input.
  private var axesInputOpset: Int { function == .sum ? 13 : 18 }
}

extension ArgExtreme: OnnxConvertible {
  static let onnxOperators = ["ArgMax", "ArgMin"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      isMaximum: node.kind == "ArgMax", axis: try node.axis(default: 0),
      keepsDimensions: try node.bool("keepdims", default: true),
      selectsLast: try node.bool("select_last_index", default: false))
  }

  func write(to form: inout OnnxForm) {
    form.set("axis", axis, unless: 0)
    form.set("keepdims", keepsDimensions, unless: true)
    if selectsLast {
      form.require(12)
      form.set("select_last_index", true)
    }
  }
}
