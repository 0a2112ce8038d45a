// SPDX-License-Identifier: Apache-2.0

/// The type of a tensor's elements, as ONNX names them.
public enum ElementType: String, Sendable, Hashable, Codable, CaseIterable {
  case float32, float64, float16, bfloat16
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  case bool
  case int4, uint4, int2, uint2

  /// Bits that one element takes in memory; types below eight bits are packed, low bits first.
  public var bitWidth: Int {
    switch self {
    case .int2, .uint2: 2
    case .int4, .uint4: 4
    case .int8, .uint8, .bool: 8
    case .int16, .uint16, .float16, .bfloat16: 16
    case .int32, .uint32, .float32: 32
    case .int64, .uint64, .float64: 64
    }
  }

  /// Whether the type is one of the floating-point types.
  public var isFloatingPoint: Bool {
    switch self {
    case .float32, .float64, .float16, .bfloat16: true
    default: false
    }
  }

  /// Whether the type is an integer type; `bool` is not.
  public var isInteger: Bool { !isFloatingPoint && self != .bool }

  /// Whether the type is a signed integer type.
  public var isSignedInteger: Bool {
    switch self {
    case .int2, .int4, .int8, .int16, .int32, .int64: true
    default: false
    }
  }

  /// The least and greatest value of an integer type; `bool` is 0…1, 64-bit types clamp to `Int64`.
  ///
  /// `nil` for floating-point types.
  public var integerRange: ClosedRange<Int64>? {
    switch self {
    case .bool: 0...1
    case .uint64: 0...Int64.max
    case .int64: Int64.min...Int64.max
    case .int2, .int4, .int8, .int16, .int32:
      -(Int64(1) << (bitWidth - 1))...((Int64(1) << (bitWidth - 1)) - 1)
    case .uint2, .uint4, .uint8, .uint16, .uint32: 0...((Int64(1) << bitWidth) - 1)
    default: nil
    }
  }

  /// Bytes that `count` elements take, the last byte padded for packed types.
  public func byteCount(of count: Int) -> Int { (count * bitWidth + 7) / 8 }
}
