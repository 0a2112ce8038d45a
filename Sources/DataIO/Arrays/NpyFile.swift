// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Reading and writing of NumPy's `.npy` arrays.
///
/// Source: NumPy enhancement proposal 1, "A Simple File Format for NumPy Arrays".
public enum NpyFile {
  /// The array in the file at `path`, in row-major order whatever the order in the file.
  ///
  /// - Throws: `DataError` if the file cannot be read, is damaged, or holds elements other than
  ///   little-endian booleans, integers and floating-point numbers.
  public static func read(_ path: String) throws(DataError) -> Tensor {
    let file = try RandomAccessFile(path: path)
    let header = try NpyHeader(file.bytes(at: 0, count: NpyHeader.greatestLength), path: path)
    let data = try file.bytes(at: header.dataOffset, count: header.byteCount)
    return try tensor(header, data: data, path: path)
  }

  /// The array that `bytes`, the content of a `.npy` file, holds; `path` names it in errors.
  ///
  /// - Throws: `DataError`, as `read(_:)` does.
  public static func decode(_ bytes: [UInt8], path: String) throws(DataError) -> Tensor {
    let header = try NpyHeader(bytes, path: path)
    let end = min(bytes.count, header.dataOffset + header.byteCount)
    return try tensor(header, data: Array(bytes[header.dataOffset..<end]), path: path)
  }

  /// Writes `tensor` as a `.npy` file of version 1, in row-major order.
  ///
  /// NumPy has no bfloat16 and no types below a byte: bfloat16 is written as float32, int4 and
  /// int2 as int8, uint4 and uint2 as uint8, all exactly.
  ///
  /// - Throws: `DataError.unwritable`; nothing half-written is left.
  public static func write(_ tensor: Tensor, to path: String) throws(DataError) {
    try AtomicFile.write(encode(tensor), to: path)
  }

  /// The content of a `.npy` file that holds `tensor`, as `write(_:to:)` writes it.
  public static func encode(_ tensor: Tensor) -> [UInt8] {
    let stored = tensor.converted(to: storedType(of: tensor.elementType))
    let shape = stored.shape.map(String.init).joined(separator: ", ")
    let tuple = stored.rank == 1 ? "(\(shape),)" : "(\(shape))"
    var dictionary =
      "{'descr': '\(descriptor(of: stored.elementType))', 'fortran_order': False, "
      + "'shape': \(tuple), }"
    let padding = (64 - (10 + dictionary.utf8.count + 1) % 64) % 64
    dictionary += String(repeating: " ", count: padding) + "\n"
    var bytes = NpyHeader.magic + [1, 0]
    bytes.append(littleEndian: UInt64(dictionary.utf8.count), width: 2)
    bytes += dictionary.utf8
    bytes += stored.bytes
    return bytes
  }

  static func tensor(
    _ header: NpyHeader, data: [UInt8], path: String
  ) throws(DataError) -> Tensor {
    guard data.count == header.byteCount else {
      throw .malformed(
        path: path, format: .npy,
        defect: "\(data.count) bytes of elements where shape \(header.shape) of "
          + "\(header.elementType.rawValue) takes \(header.byteCount)")
    }
    let bytes = header.isFortranOrder ? rowMajor(data, header) : data
    return Tensor(uncheckedElementType: header.elementType, shape: header.shape, bytes: bytes)
  }

  private static func rowMajor(_ data: [UInt8], _ header: NpyHeader) -> [UInt8] {
    let shape = header.shape
    guard shape.filter({ $0 != 1 }).count > 1, !data.isEmpty else { return data }
    let width = header.elementType.bitWidth / 8
    var columnStrides = [Int](repeating: width, count: shape.count)
    for index in 1..<shape.count {
      columnStrides[index] = columnStrides[index - 1] * shape[index - 1]
    }
    var result: [UInt8] = []
    result.reserveCapacity(data.count)
    var index = [Int](repeating: 0, count: shape.count)
    var source = 0
    for _ in 0..<data.count / width {
      result += data[source..<source + width]
      var axis = shape.count - 1
      while axis >= 0 {
        index[axis] += 1
        source += columnStrides[axis]
        if index[axis] < shape[axis] { break }
        source -= columnStrides[axis] * shape[axis]
        index[axis] = 0
        axis -= 1
      }
    }
    return result
  }

  private static func storedType(of type: ElementType) -> ElementType {
    switch type {
    case .bfloat16: .float32
    case .int4, .int2: .int8
    case .uint4, .uint2: .uint8
    default: type
    }
  }

  private static func descriptor(of type: ElementType) -> String {
    let bytes = type.bitWidth / 8
    if type == .bool { return "|b1" }
    let letter = type.isFloatingPoint ? "f" : type.isSignedInteger ? "i" : "u"
    return "\(bytes == 1 ? "|" : "<")\(letter)\(bytes)"
  }
}
