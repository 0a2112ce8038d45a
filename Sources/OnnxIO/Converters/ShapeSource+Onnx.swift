// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension Shape: OnnxConvertible {
  static let onnxOperators = ["Shape"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(start: try node.int("start", default: 0), end: try node.int("end"))
  }

  func write(to form: inout OnnxForm) {
    if start != 0 || end != nil { form.require(15) }
    form.set("start", start, unless: 0)
    if let end { form.set("end", end) }
  }
}

extension Size: OnnxConvertible {
  static let onnxOperators = ["Size"]
  init(onnx node: inout OnnxNode) { self.init() }
}

extension ConstantOfShape: OnnxConvertible {
  static let onnxOperators = ["ConstantOfShape"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    let value = try node.tensor("value") ?? Tensor([Float(0)], shape: [1])
    guard value.count == 1 else {
      throw .invalid(
        .invalidAttribute(name: "value", found: "\(value.count) elements", expected: "one"))
    }
    self.init(value: value)
  }

  func write(to form: inout OnnxForm) {
    form.require(9)
    if value != Tensor([Float(0)], shape: [1]) { form.set("value", value) }
  }
}

extension NumberRange: OnnxConvertible {
  static let onnxOperators = ["Range"]
  init(onnx node: inout OnnxNode) { self.init() }
  func write(to form: inout OnnxForm) { form.require(11) }
}

extension OnnxNode {
  /// The tensor of a `Constant` node; `nil` if it holds what is no tensor of numbers.
  mutating func constantValue() throws(ConversionError) -> Tensor? {
    for name in ["value_string", "value_strings", "sparse_value"] where has(name) { return nil }
    if has("value") { return try tensor("value") }
    if let number = try float("value_float") { return Tensor(scalar: number) }
    if let numbers = try floats("value_floats") { return Tensor(numbers, shape: [numbers.count]) }
    if let number = try int("value_int") { return Tensor(scalar: Int64(number)) }
    if let numbers = try ints("value_ints") {
      return Tensor(numbers.map { Int64($0) }, shape: [numbers.count])
    }
    throw .invalid(.missingAttribute("value", expected: "a value"))
  }
}
