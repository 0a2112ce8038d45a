// SPDX-License-Identifier: Apache-2.0
import Foundation
import GraphIR
import TensorCore

/// Turns stored tensors into `Tensor`s, whatever field their elements are in.
///
/// Nothing is allocated from declared dimensions alone: the bytes must be there first.
struct TensorDecoder {
  /// Where external data lies; `nil` if the model did not come from a folder.
  let externalData: ExternalData?

  func tensor(_ proto: OnnxTensorProto) throws(OnnxProblem) -> Tensor {
    do { return try decoded(proto) } catch { throw .tensor(name: proto.name, problem: error) }
  }

  private func decoded(_ proto: OnnxTensorProto) throws(OnnxTensorProblem) -> Tensor {
    guard let elementType = OnnxElementTypes.type(Int(proto.dataType)) else {
      throw .unsupportedElementType(code: Int(proto.dataType))
    }
    guard let shape = DimensionBounds.shape(proto.dims) else {
      throw .invalidDimensions(proto.dims)
    }
    let count = shape.reduce(1, *)
    let byteCount = elementType.byteCount(of: count)
    let bytes: [UInt8]
    if proto.dataLocation == .external {
      bytes = try external(proto, byteCount: byteCount)
    } else if proto.hasRawData, !(proto.rawData.isEmpty && byteCount > 0) {
      guard proto.rawData.count == byteCount else {
        throw .wrongByteCount(found: proto.rawData.count, expected: byteCount)
      }
      bytes = [UInt8](proto.rawData)
    } else {
      bytes = try typed(proto, elementType: elementType, count: count)
    }
    guard let tensor = try? Tensor(elementType: elementType, shape: shape, bytes: bytes) else {
      throw .wrongByteCount(found: bytes.count, expected: byteCount)
    }
    return tensor
  }

  private func external(
    _ proto: OnnxTensorProto, byteCount: Int
  ) throws(OnnxTensorProblem) -> [UInt8] {
    var entries: [String: String] = [:]
    for entry in proto.externalData { entries[entry.key] = entry.value }
    let location = entries["location"] ?? ""
    guard let externalData else { throw .noFolder(location: location) }
    let offset = try number("offset", in: entries) ?? 0
    if let length = try number("length", in: entries), length != byteCount {
      throw .wrongByteCount(found: length, expected: byteCount)
    }
    return try externalData.bytes(location: location, offset: offset, length: byteCount)
  }

  private func number(
    _ key: String, in entries: [String: String]
  ) throws(OnnxTensorProblem) -> Int? {
    guard let text = entries[key] else { return nil }
    guard let number = Int(text), number >= 0 else { throw .invalidEntry(key: key, value: text) }
    return number
  }

  /// The bytes of elements in the field for their type; 16-bit floats are stored as bit patterns
  /// and integers below a byte as packed bytes, one to an `int32_data` entry.
  private func typed(
    _ proto: OnnxTensorProto, elementType: ElementType, count: Int
  ) throws(OnnxTensorProblem) -> [UInt8] {
    switch elementType {
    case .float32: return try memory(proto.floatData, "float_data", count)
    case .float64: return try memory(proto.doubleData, "double_data", count)
    case .int64: return try memory(proto.int64Data, "int64_data", count)
    case .uint64: return try memory(proto.uint64Data, "uint64_data", count)
    case .uint32: return try narrowed(proto.uint64Data, to: UInt32.self, "uint64_data", count)
    case .int32: return try memory(proto.int32Data, "int32_data", count)
    case .int16: return try narrowed(proto.int32Data, to: Int16.self, "int32_data", count)
    case .uint16: return try narrowed(proto.int32Data, to: UInt16.self, "int32_data", count)
    case .int8: return try narrowed(proto.int32Data, to: Int8.self, "int32_data", count)
    case .uint8, .bool: return try narrowed(proto.int32Data, to: UInt8.self, "int32_data", count)
    case .float16, .bfloat16:
      let words = proto.int32Data.map { UInt16(truncatingIfNeeded: $0) }
      return try memory(words, "int32_data", count)
    case .int4, .uint4, .int2, .uint2:
      let packed = proto.int32Data.map { UInt8(truncatingIfNeeded: $0) }
      return try memory(packed, "int32_data", elementType.byteCount(of: count))
    }
  }

  private func memory<Scalar: BitwiseCopyable>(
    _ elements: [Scalar], _ field: String, _ count: Int
  ) throws(OnnxTensorProblem) -> [UInt8] {
    guard elements.count == count else {
      throw .wrongElementCount(found: elements.count, expected: count, field: field)
    }
    return elements.withUnsafeBytes { [UInt8]($0) }
  }

  private func narrowed<Stored: FixedWidthInteger, Scalar: FixedWidthInteger & BitwiseCopyable>(
    _ elements: [Stored], to type: Scalar.Type, _ field: String, _ count: Int
  ) throws(OnnxTensorProblem) -> [UInt8] {
    var result: [Scalar] = []
    result.reserveCapacity(elements.count)
    for element in elements {
      guard let value = Scalar(exactly: element) else {
        throw .valueOutOfRange(Int64(truncatingIfNeeded: element), elementType: "\(type)")
      }
      result.append(value)
    }
    return try memory(result, field, count)
  }
}

/// The bound on dimensions that a file declares; it keeps every product of them in range.
enum DimensionBounds {
  /// The dimensions as a shape; `nil` if one is negative or their product is beyond the bound,
  /// extents of zero counted as one.
  static func shape(_ dimensions: [Int64]) -> [Int]? {
    guard dimensions.count <= TensorType.greatestRank else { return nil }
    var product = 1
    for dimension in dimensions {
      guard dimension >= 0, dimension <= Int64(TensorType.greatestCount) else { return nil }
      let (next, overflow) = product.multipliedReportingOverflow(by: max(1, Int(dimension)))
      guard !overflow, next <= TensorType.greatestCount else { return nil }
      product = next
    }
    return dimensions.map { Int($0) }
  }
}
