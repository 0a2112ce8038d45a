// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension Gemm: OnnxConvertible {
  static let onnxOperators = ["Gemm"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    if node.opset < 7 { node.ignore("broadcast") }
    self.init(
      alpha: try node.float("alpha", default: 1), beta: try node.float("beta", default: 1),
      transposesA: try node.bool("transA", default: false),
      transposesB: try node.bool("transB", default: false))
  }

  func write(to form: inout OnnxForm) {
    form.require(form.hasInput(2) ? 7 : 11)
    form.set("alpha", alpha, unless: 1)
    form.set("beta", beta, unless: 1)
    form.set("transA", transposesA, unless: false)
    form.set("transB", transposesB, unless: false)
  }
}

extension MatMul: OnnxConvertible {
  static let onnxOperators = ["MatMul"]
  init(onnx node: inout OnnxNode) { self.init() }
}

extension MatMulInteger: OnnxConvertible {
  static let onnxOperators = ["MatMulInteger"]
  init(onnx node: inout OnnxNode) { self.init() }
  func write(to form: inout OnnxForm) { form.require(10) }
}

extension QLinearMatMul: OnnxConvertible {
  static let onnxOperators = ["QLinearMatMul"]
  init(onnx node: inout OnnxNode) { self.init() }

  func write(to form: inout OnnxForm) {
    form.require(form.type(1)?.elementType == .float32 ? 10 : 21)
  }
}

extension Einsum: OnnxConvertible {
  static let onnxOperators = ["Einsum"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    guard let equation = try node.string("equation") else {
      throw .invalid(.missingAttribute("equation", expected: "such as bij,bjk->bik"))
    }
    self.init(equation: equation)
  }

  func write(to form: inout OnnxForm) {
    form.require(12)
    form.set("equation", equation)
  }
}
