// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension GatherElements: OnnxConvertible {
  static let onnxOperators = ["GatherElements"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(axis: try node.axis(default: 0))
  }

  func write(to form: inout OnnxForm) {
    form.require(11)
    form.set("axis", axis, unless: 0)
  }
}

extension GatherND: OnnxConvertible {
  static let onnxOperators = ["GatherND"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(batchDimensions: try node.int("batch_dims", default: 0, in: 0...64))
  }

  func write(to form: inout OnnxForm) {
    form.require(batchDimensions == 0 ? 11 : 12)
    form.set("batch_dims", batchDimensions, unless: 0)
  }
}

extension ScatterElements: OnnxConvertible {
  static let onnxOperators = ["ScatterElements", "Scatter"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(axis: try node.axis(default: 0), reduction: try node.scatterReduction())
  }

  /// Below operator set 11 the operator is called `Scatter`.
  func write(to form: inout OnnxForm) {
    form.require(9)
    if form.opset < 11 { form.kind = "Scatter" }
    form.set("axis", axis, unless: 0)
    form.set(reduction)
  }
}

extension ScatterND: OnnxConvertible {
  static let onnxOperators = ["ScatterND"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(reduction: try node.scatterReduction())
  }

  func write(to form: inout OnnxForm) {
    form.require(11)
    form.set(reduction)
  }
}

extension OneHot: OnnxConvertible {
  static let onnxOperators = ["OneHot"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(axis: try node.axis(default: -1))
  }

  func write(to form: inout OnnxForm) {
    form.require(9)
    form.set("axis", axis, unless: -1)
  }
}

extension OnnxNode {
  fileprivate mutating func scatterReduction() throws(ConversionError) -> ScatterReduction {
    let name = try string("reduction", default: "none")
    guard let reduction = ScatterReduction(rawValue: name) else {
      throw .invalid(
        .invalidAttribute(name: "reduction", found: name, expected: "none, add, mul, min or max"))
    }
    return reduction
  }
}

extension OnnxForm {
  fileprivate mutating func set(_ reduction: ScatterReduction) {
    switch reduction {
    case .none: return
    case .add, .multiply: require(16)
    case .minimum, .maximum: require(18)
    }
    set("reduction", reduction.rawValue)
  }
}
