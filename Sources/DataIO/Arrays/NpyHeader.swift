// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// The header of a `.npy` file.
///
/// Source: NumPy enhancement proposal 1, "A Simple File Format for NumPy Arrays".
struct NpyHeader: Equatable {
  var elementType: ElementType
  var isFortranOrder: Bool
  var shape: [Int]
  /// Offset of the first element.
  var dataOffset: Int
  /// Bytes of all elements.
  var byteCount: Int

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Bytes that hold the whole header of any file that is accepted.
  static let greatestLength = 65_536 + 12

  /// Reads the header at the start of `bytes`, which may hold less than the whole file.
  ///
  /// - Throws: `DataError.malformed` or `.unsupported`, naming `path`.
  init(_ bytes: [UInt8], path: String) throws(DataError) {
    func malformed(_ defect: String) -> DataError {
      .malformed(path: path, format: .npy, defect: defect)
    }
    guard bytes.starts(with: Self.magic) else {
      throw malformed("it does not start with \\x93NUMPY")
    }
    guard bytes.count >= 10 else { throw malformed("it ends within the header") }
    let version = bytes[6]
    guard (1...3).contains(version) else {
      throw .unsupported(path: path, format: .npy, feature: "format version \(version)")
    }
    let width = version == 1 ? 2 : 4
    guard let length = bytes.littleEndian(at: 8, width: width) else {
      throw malformed("it ends within the header")
    }
    guard length <= 65_536 else { throw malformed("a header of \(length) bytes") }
    let start = 8 + width
    let end = start + Int(length)
    guard end <= bytes.count else { throw malformed("it ends within the header") }
    let text = String(decoding: bytes[start..<end], as: UTF8.self)
    var literal = PythonLiteral(text)
    guard let entries = literal.dictionary() else {
      throw malformed("the header is not a dictionary")
    }
    guard case .string(let descriptor)? = entries["descr"] else {
      throw .unsupported(path: path, format: .npy, feature: "a structured element type")
    }
    guard case .boolean(let isFortranOrder)? = entries["fortran_order"],
      case .tuple(let shape)? = entries["shape"], shape.count <= 64
    else { throw malformed("the header lacks fortran_order or shape") }
    elementType = try Self.elementType(of: descriptor, path: path)
    self.isFortranOrder = isFortranOrder
    self.shape = shape
    dataOffset = end
    do {
      byteCount = try Tensor.checkedByteCount(elementType: elementType, shape: shape)
    } catch { throw malformed(error.description) }
  }

  private static func elementType(
    of descriptor: String, path: String
  ) throws(DataError) -> ElementType {
    let kind = descriptor.drop { "<>|=".contains($0) }
    let types: [Substring: ElementType] = [
      "b1": .bool, "?": .bool, "i1": .int8, "u1": .uint8, "i2": .int16, "u2": .uint16,
      "i4": .int32, "u4": .uint32, "i8": .int64, "u8": .uint64, "f2": .float16, "f4": .float32,
      "f8": .float64,
    ]
    guard let type = types[kind] else {
      throw .unsupported(path: path, format: .npy, feature: "elements of type \"\(descriptor)\"")
    }
    if descriptor.hasPrefix(">") && type.bitWidth > 8 {
      throw .unsupported(
        path: path, format: .npy, feature: "big-endian elements (\"\(descriptor)\")")
    }
    return type
  }
}

/// A reader of the few Python literals that a `.npy` header is made of.
private struct PythonLiteral {
  enum Value: Equatable { case string(String), boolean(Bool), tuple([Int]), other }

  private let characters: [Character]
  private var position = 0

  init(_ text: String) { characters = Array(text) }

  /// The entries of a dictionary literal, or `nil` if the text is none.
  mutating func dictionary() -> [String: Value]? {
    guard take("{") else { return nil }
    var entries: [String: Value] = [:]
    while !take("}") {
      guard let key = string(), take(":"), let value = value() else { return nil }
      entries[key] = value
      if !take(",") {
        guard take("}") else { return nil }
        break
      }
    }
    return entries
  }

  private mutating func value() -> Value? {
    skipSpaces()
    guard position < characters.count else { return nil }
    switch characters[position] {
    case "'", "\"": return string().map { .string($0) }
    case "(": return tuple().map { .tuple($0) }
    case "[": return list()
    default:
      let word = takeWhile { $0.isLetter || $0.isNumber }
      switch word {
      case "True": return .boolean(true)
      case "False": return .boolean(false)
      default: return nil
      }
    }
  }

  private mutating func string() -> String? {
    skipSpaces()
    guard position < characters.count, "'\"".contains(characters[position]) else { return nil }
    let quote = characters[position]
    position += 1
    let text = takeWhile { $0 != quote }
    guard position < characters.count else { return nil }
    position += 1
    return text
  }

  private mutating func tuple() -> [Int]? {
    guard take("(") else { return nil }
    var numbers: [Int] = []
    while !take(")") {
      skipSpaces()
      // NumPy on Python 2 wrote long integers with a trailing L.
      let digits = takeWhile { $0.isASCII && ($0.isNumber || $0 == "-") }
      guard let number = Int(digits) else { return nil }
      if position < characters.count, characters[position] == "L" { position += 1 }
      numbers.append(number)
      if !take(",") {
        guard take(")") else { return nil }
        break
      }
    }
    return numbers
  }

  /// Skips a list, which stands for a structured element type.
  private mutating func list() -> Value? {
    var depth = 0
    while position < characters.count {
      if characters[position] == "[" { depth += 1 }
      if characters[position] == "]" { depth -= 1 }
      position += 1
      if depth == 0 { return .other }
    }
    return nil
  }

  private mutating func take(_ character: Character) -> Bool {
    skipSpaces()
    guard position < characters.count, characters[position] == character else { return false }
    position += 1
    return true
  }

  private mutating func takeWhile(_ condition: (Character) -> Bool) -> String {
    let start = position
    while position < characters.count, condition(characters[position]) { position += 1 }
    return String(characters[start..<position])
  }

  private mutating func skipSpaces() {
    while position < characters.count, characters[position].isWhitespace { position += 1 }
  }
}
