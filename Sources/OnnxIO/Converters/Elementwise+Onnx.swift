// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension Clip: OnnxConvertible {
  static let onnxOperators = ["Clip"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init()
    guard node.opset < 11 else { return }
    node.ignore("consumed_inputs")
    if let least = try node.float("min") { node.setInput(1, toScalar: least, suffix: "min") }
    if let greatest = try node.float("max") {
      node.setInput(2, toScalar: greatest, suffix: "max")
    }
  }

  func write(to form: inout OnnxForm) {
    form.moveNumber(1, to: "min", before: 11)
    form.moveNumber(2, to: "max", before: 11)
    if let type = form.type(0)?.elementType, type.isInteger { form.require(12) }
  }
}

extension Variadic: OnnxConvertible {
  static let onnxOperators = ["Sum", "Mean", "Min", "Max"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    guard let function = Function(rawValue: node.kind) else { throw .unsupported("unknown") }
    node.ignore("consumed_inputs")
    self.init(function)
  }

  func write(to form: inout OnnxForm) {
    form.require(8)
    guard function == .minimum || function == .maximum else { return }
    if let type = form.type(0)?.elementType, type.isInteger {
      form.require(type.bitWidth < 32 || !type.isSignedInteger ? 12 : 8)
    }
  }
}

extension Where: OnnxConvertible {
  static let onnxOperators = ["Where"]
  init(onnx node: inout OnnxNode) { self.init() }
  func write(to form: inout OnnxForm) { form.require(9) }
}

extension Cast: OnnxConvertible {
  static let onnxOperators = ["Cast", "CastLike"]

  /// Saturation and rounding concern 8-bit floats only.
  init(onnx node: inout OnnxNode) throws(ConversionError) {
    node.ignore("saturate", "round_mode")
    if node.kind == "CastLike" {
      guard node.inputTypes.count == 2, let target = node.inputTypes[1]?.elementType else {
        throw .unsupported("the type of the second input is not known")
      }
      self.init(to: target)
      node.inputs = Array(node.inputs.prefix(1))
    } else if node.opset < 6 {
      let name = try node.string("to") ?? ""
      guard let target = Cast.namedTypes[name.uppercased()] else {
        throw .unsupported("conversion to \(name)")
      }
      self.init(to: target)
    } else {
      guard let target = try node.elementType("to") else {
        throw .invalid(.missingAttribute("to", expected: "an element type"))
      }
      self.init(to: target)
    }
  }

  func write(to form: inout OnnxForm) {
    form.require(max(6, OnnxElementTypes.minimumOpset(target)))
    form.set("to", target)
  }

  /// Element types as the operator spells them before operator set 6.
  private static let namedTypes: [String: ElementType] = [
    "FLOAT": .float32, "DOUBLE": .float64, "FLOAT16": .float16, "BOOL": .bool, "INT8": .int8,
    "INT16": .int16, "INT32": .int32, "INT64": .int64, "UINT8": .uint8, "UINT16": .uint16,
    "UINT32": .uint32, "UINT64": .uint64,
  ]
}

extension Identity: OnnxConvertible {
  static let onnxOperators = ["Identity"]
  init(onnx node: inout OnnxNode) { self.init() }
}

extension Dropout: OnnxConvertible {
  static let onnxOperators = ["Dropout"]

  /// The ratio is the second input, as from operator set 12 on; the seed and the mode are dropped.
  init(onnx node: inout OnnxNode) throws(ConversionError) {
    node.ignore("seed", "is_test", "consumed_inputs")
    node.inputs = Array(node.inputs.prefix(node.opset < 12 ? 1 : 2))
    if node.opset < 12, let ratio = try node.float("ratio") {
      node.setInput(1, toScalar: ratio, suffix: "ratio")
    }
    self.init()
  }

  func write(to form: inout OnnxForm) {
    form.require(7)
    form.moveNumber(1, to: "ratio", before: 12)
  }
}
