// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension QuantizeLinear: OnnxConvertible {
  static let onnxOperators = ["QuantizeLinear", "com.microsoft::QuantizeLinear"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    node.ignore("saturate")
    if let precision = try node.int("precision"), precision != 0, precision != 1 {
      throw .unsupported("division in \(OnnxElementTypes.name(precision))")
    }
    let axis = try node.axis(default: 1)
    let blockSize = try node.int("block_size", default: 0, in: 0...Int(Int32.max))
    let code = try node.int("output_dtype") ?? 0
    guard code == 0 || OnnxElementTypes.type(code) != nil else {
      throw .unsupported("codes of type \(OnnxElementTypes.name(code))")
    }
    self.init(axis: axis, blockSize: blockSize, outputType: OnnxElementTypes.type(code))
  }

  func write(to form: inout OnnxForm) {
    form.setLinearCode(
      axis: axis, blockSize: blockSize, codes: outputType ?? form.type(2)?.elementType)
    if let outputType {
      form.require(21)
      form.set("output_dtype", outputType)
    }
  }
}

extension DequantizeLinear: OnnxConvertible {
  static let onnxOperators = ["DequantizeLinear", "com.microsoft::DequantizeLinear"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    if let code = try node.int("output_dtype"), code != 0,
      code != OnnxElementTypes.code(.float32) || node.scaleType != .float32
    {
      throw .unsupported("a result of another type than the scale's (output_dtype)")
    }
    self.init(
      axis: try node.axis(default: 1),
      blockSize: try node.int("block_size", default: 0, in: 0...Int(Int32.max)))
  }

  func write(to form: inout OnnxForm) {
    form.setLinearCode(axis: axis, blockSize: blockSize, codes: form.type(0)?.elementType)
  }
}

extension DynamicQuantizeLinear: OnnxConvertible {
  static let onnxOperators = ["DynamicQuantizeLinear"]
  init(onnx node: inout OnnxNode) { self.init() }
  func write(to form: inout OnnxForm) { form.require(11) }
}

extension OnnxNode {
  fileprivate var scaleType: ElementType? {
    inputTypes.count > 1 ? inputTypes[1]?.elementType ?? .float32 : nil
  }
}

extension OnnxForm {
  /// The attributes that quantization and dequantization share.
  ///
  /// An axis has no meaning beside a single scale and is then left out where it was unknown.
  fileprivate mutating func setLinearCode(axis: Int, blockSize: Int, codes: ElementType?) {
    let isPerTensor = type(1)?.shape.map { $0.reduce(1, *) == 1 && $0.count <= 1 } ?? false
    require(isPerTensor ? 10 : 13)
    if !(isPerTensor && opset < 13) { set("axis", axis, unless: 1) }
    if blockSize > 0 {
      require(21)
      set("block_size", blockSize)
    }
    switch codes {
    case .int16, .uint16: require(21)
    default: break
    }
    if let scale = type(1)?.elementType, scale != .float32 { require(19) }
  }
}
