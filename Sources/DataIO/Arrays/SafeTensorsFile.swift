// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

/// Reading and writing of safetensors: named tensors in one file, each readable by itself.
///
/// Source: Hugging Face, "safetensors", format description: a header length of eight bytes,
/// little-endian; a JSON object of name to `dtype`, `shape` and `data_offsets`, with strings under
/// `__metadata__`; then the tensors' bytes, one behind the other without gaps.
public struct SafeTensorsFile: Sendable {
  /// Where one tensor lies.
  public struct Entry: Sendable, Equatable {
    public let name: String
    public let elementType: ElementType
    public let shape: [Int]

    /// Bytes from the end of the header.
    public let range: Range<Int>
  }

  public let path: String

  /// The tensors in the order of their bytes.
  public let entries: [Entry]

  /// Strings that describe the file.
  public let metadata: [String: String]
  private let file: RandomAccessFile
  private let dataOffset: Int
  private let positions: [String: Int]

  /// Header bytes that a file may have, as the format's own library limits them.
  private static let greatestHeader = 100_000_000

  /// Opens the file at `path` and checks its header; no tensor is read.
  ///
  /// - Throws: `DataError.malformed` saying what is wrong with the header: a length or offsets
  ///   beyond the file, tensors that overlap or leave gaps, a shape that does not fit its bytes;
  ///   `DataError.unsupported` for an element type that is not known.
  public init(path: String) throws(DataError) {
    func malformed(_ defect: String) -> DataError {
      .malformed(path: path, format: .safetensors, defect: defect)
    }
    let file = try RandomAccessFile(path: path)
    guard let length = try file.bytes(at: 0, count: 8).littleEndian(at: 0, width: 8) else {
      throw malformed("\(file.size) bytes are too few for a header")
    }
    guard length <= UInt64(Self.greatestHeader), Int(length) <= file.size - 8 else {
      throw malformed("the header claims \(length) bytes of a file of \(file.size)")
    }
    let text = try file.bytes(at: 8, count: Int(length))
    guard text.count == Int(length) else { throw malformed("it was cut short while in use") }
    guard text.first == UInt8(ascii: "{") else { throw malformed("the header is no JSON object") }
    let header: [String: HeaderEntry]
    do {
      header = try JSONDecoder().decode([String: HeaderEntry].self, from: Data(text))
    } catch let error as DecodingError {
      throw malformed("header: \(Self.words(error))")
    } catch {
      throw malformed("the header is no JSON object")
    }
    var entries: [Entry] = []
    var metadata: [String: String] = [:]
    for (name, entry) in header {
      switch entry {
      case .metadata(let strings): metadata = strings
      case .tensor(let type, let shape, let offsets):
        entries.append(
          try Self.entry(name, type, shape, offsets, limit: file.size - 8 - Int(length), path))
      }
    }
    entries.sort {
      ($0.range.lowerBound, $0.range.upperBound, $0.name)
        < ($1.range.lowerBound, $1.range.upperBound, $1.name)
    }
    var end = 0
    for entry in entries {
      guard entry.range.lowerBound == end else {
        throw malformed(
          "tensor \"\(entry.name)\" starts at byte \(entry.range.lowerBound), the one before it "
            + "ends at \(end)")
      }
      end = entry.range.upperBound
    }
    guard end == file.size - 8 - Int(length) else {
      throw malformed("the tensors take \(end) bytes, \(file.size - 8 - Int(length)) are there")
    }
    self.path = path
    self.file = file
    self.entries = entries
    self.metadata = metadata
    dataOffset = 8 + Int(length)
    positions = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.name, $0) })
  }

  /// The tensor `name`, read from the file.
  ///
  /// - Throws: `DataError.arrayMissing`, or what is wrong with the file.
  public func tensor(_ name: String) throws(DataError) -> Tensor {
    guard let position = positions[name] else {
      throw .arrayMissing(path: path, name: name, found: entries.map(\.name))
    }
    let entry = entries[position]
    let bytes = try file.bytes(
      at: dataOffset + entry.range.lowerBound, count: entry.range.count)
    guard bytes.count == entry.range.count else {
      throw .malformed(path: path, format: .safetensors, defect: "it was cut short while in use")
    }
    return Tensor(uncheckedElementType: entry.elementType, shape: entry.shape, bytes: bytes)
  }

  /// All tensors by name.
  ///
  /// - Throws: As `tensor(_:)`.
  public func tensors() throws(DataError) -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for entry in entries { tensors[entry.name] = try tensor(entry.name) }
    return tensors
  }
}

extension SafeTensorsFile {
  private static let types: [(name: String, type: ElementType)] = [
    ("F64", .float64), ("F32", .float32), ("F16", .float16), ("BF16", .bfloat16),
    ("I64", .int64), ("I32", .int32), ("I16", .int16), ("I8", .int8),
    ("U64", .uint64), ("U32", .uint32), ("U16", .uint16), ("U8", .uint8), ("BOOL", .bool),
  ]

  private static func entry(
    _ name: String, _ type: String, _ shape: [Int], _ offsets: [Int], limit: Int, _ path: String
  ) throws(DataError) -> Entry {
    func malformed(_ defect: String) -> DataError {
      .malformed(path: path, format: .safetensors, defect: "tensor \"\(name)\": \(defect)")
    }
    guard let elementType = types.first(where: { $0.name == type })?.type else {
      throw .unsupported(
        path: path, format: .safetensors, feature: "dtype \"\(type)\" of tensor \"\(name)\"")
    }
    guard offsets.count == 2, 0 <= offsets[0], offsets[0] <= offsets[1], offsets[1] <= limit else {
      throw malformed(
        "data_offsets \(offsets.prefix(4)) do not lie within the \(limit) bytes of data")
    }
    guard shape.count <= 64 else { throw malformed("\(shape.count) dimensions are too many") }
    let size: Int
    do { size = try Tensor.checkedByteCount(elementType: elementType, shape: shape) } catch {
      throw malformed("\(error)")
    }
    guard size == offsets[1] - offsets[0] else {
      throw malformed(
        "\(type) of shape \(shape) takes \(size) bytes, data_offsets give "
          + "\(offsets[1] - offsets[0])")
    }
    return Entry(
      name: name, elementType: elementType, shape: shape, range: offsets[0]..<offsets[1])
  }

  private static func words(_ error: DecodingError) -> String {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context),
      .keyNotFound(_, let context), .dataCorrupted(let context):
      let place = context.codingPath.map { "\"\($0.stringValue)\"" }.joined(separator: ", ")
      return place.isEmpty ? context.debugDescription : "\(place): \(context.debugDescription)"
    @unknown default: return "it cannot be read"
    }
  }

  /// Writes the tensors; the same tensors and metadata give the same bytes.
  ///
  /// Tensors of wider elements come first, those of one width by name, as the format's own library
  /// orders them, so that each is aligned to its elements.
  ///
  /// - Throws: `DataError.unsupported` for element types below a byte, for which the format has no
  ///   name, `DataError.malformed` if a name occurs twice or is `__metadata__`,
  ///   `DataError.unwritable`; nothing half-written is left.
  public static func write(
    _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:],
    to path: String
  ) throws(DataError) {
    var fields: [String] = []
    if !metadata.isEmpty {
      let strings = metadata.sorted { $0.key < $1.key }.map {
        "\(quoted($0.key)):\(quoted($0.value))"
      }
      fields.append("\"__metadata__\":{\(strings.joined(separator: ","))}")
    }
    let sorted = tensors.sorted {
      ($1.tensor.elementType.bitWidth, $0.name) < ($0.tensor.elementType.bitWidth, $1.name)
    }
    var names: Set<String> = ["__metadata__"]
    var offset = 0
    for (name, tensor) in sorted {
      guard let type = types.first(where: { $0.type == tensor.elementType })?.name else {
        throw .unsupported(
          path: path, format: .safetensors,
          feature: "\(tensor.elementType.rawValue) elements of tensor \"\(name)\"")
      }
      guard names.insert(name).inserted else {
        throw .malformed(
          path: path, format: .safetensors, defect: "tensor \"\(name)\" would be there twice")
      }
      let end = offset + tensor.bytes.count
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      fields.append(
        "\(quoted(name)):{\"dtype\":\"\(type)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var header = Array("{\(fields.joined(separator: ","))}".utf8)
    header += [UInt8](repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
    guard header.count <= greatestHeader else {
      throw .unsupported(
        path: path, format: .safetensors, feature: "a header of \(header.count) bytes")
    }
    var length: [UInt8] = []
    length.append(littleEndian: UInt64(header.count), width: 8)
    try AtomicFile.write(pieces: [length, header] + sorted.map(\.tensor.bytes), to: path)
  }

  /// The text as a JSON string.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}

/// What stands under a name in the header.
private enum HeaderEntry: Decodable {
  case tensor(type: String, shape: [Int], offsets: [Int])
  case metadata([String: String])

  private enum CodingKeys: String, CodingKey {
    case type = "dtype"
    case shape
    case offsets = "data_offsets"
  }

  init(from decoder: any Decoder) throws {
    if decoder.codingPath.last?.stringValue == "__metadata__" {
      self = .metadata(try [String: String](from: decoder))
      return
    }
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self = .tensor(
      type: try container.decode(String.self, forKey: .type),
      shape: try container.decode([Int].self, forKey: .shape),
      offsets: try container.decode([Int].self, forKey: .offsets))
  }
}
