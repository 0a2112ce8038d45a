// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// The numbers by which ONNX files name element types.
enum OnnxElementTypes {
  private static let codes: [(OnnxTensorProto.DataType, ElementType)] = [
    (.float, .float32), (.double, .float64), (.float16, .float16), (.bfloat16, .bfloat16),
    (.int8, .int8), (.int16, .int16), (.int32, .int32), (.int64, .int64),
    (.uint8, .uint8), (.uint16, .uint16), (.uint32, .uint32), (.uint64, .uint64),
    (.bool, .bool), (.int4, .int4), (.uint4, .uint4), (.int2, .int2), (.uint2, .uint2),
  ]

  private static let typesByCode = Dictionary(
    uniqueKeysWithValues: codes.map { ($0.0.rawValue, $0.1) })

  private static let codesByType = Dictionary(
    uniqueKeysWithValues: codes.map { ($0.1, $0.0.rawValue) })

  /// The element type of a number; `nil` if it is unknown or has no counterpart here.
  static func type(_ code: Int) -> ElementType? { typesByCode[code] }

  /// The number of an element type.
  static func code(_ type: ElementType) -> Int { codesByType[type] ?? 0 }

  /// The standard's name for a number, or the number.
  static func name(_ code: Int) -> String {
    OnnxTensorProto.DataType(rawValue: code).map { type in
      if case .UNRECOGNIZED = type { return "\(code)" }
      return "\(type)"
    } ?? "\(code)"
  }

  /// The operator set from which on tensors of the type may be stored and used.
  static func minimumOpset(_ type: ElementType) -> Int {
    switch type {
    case .bfloat16: 13
    case .int4, .uint4: 21
    case .int2, .uint2: 25
    default: 1
    }
  }
}
