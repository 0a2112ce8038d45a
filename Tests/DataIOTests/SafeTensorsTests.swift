// SPDX-License-Identifier: Apache-2.0
import DataIO
import Foundation
import TensorCore
import Testing

@Suite("safetensors files")
struct SafeTensorsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A file with this header and as many zero bytes of data.
  private func file(_ header: String, data: Int = 0, length: UInt64? = nil) throws -> String {
    let text = Array(header.utf8)
    var bytes: [UInt8] = []
    let claimed = length ?? UInt64(text.count)
    for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: claimed >> UInt64(8 * index))) }
    return try folder.write(
      "\(UUID().uuidString).safetensors",
      bytes + text + [UInt8](repeating: 0, count: data))
  }

  @Test("Every element type of a byte or more, scalars and empty tensors are written and read")
  func roundTrip() throws {
    let path = folder.path + "/a.safetensors"
    var tensors: [(name: String, tensor: Tensor)] = ElementType.allCases
      .filter { $0.bitWidth >= 8 }.map { type in
        (type.rawValue, Tensor(integers: [0, 1, 1, 0, 1, 0], shape: [2, 3], elementType: type))
      }
    tensors.append(("a \"quoted\" \\ name\n", Tensor(scalar: Float(-1.5))))
    tensors.append(("empty", Tensor(zerosOf: .float32, shape: [0, 4])))
    try SafeTensorsFile.write(tensors, metadata: ["epoch": "3", "ü": "\u{1}"], to: path)
    let file = try SafeTensorsFile(path: path)
    #expect(file.metadata == ["epoch": "3", "ü": "\u{1}"])
    let read = try file.tensors()
    #expect(read.count == tensors.count)
    for (name, tensor) in tensors { #expect(read[name] == tensor) }
    for entry in file.entries {
      #expect(entry.range.lowerBound % (entry.elementType.bitWidth / 8) == 0)
    }
  }

  @Test("The bytes of one file by hand")
  func byHand() throws {
    let path = folder.path + "/b.safetensors"
    try SafeTensorsFile.write(
      [("w", Tensor([Float(1), -2], shape: [2])), ("a", Tensor([Int8(7)], shape: [1]))], to: path)
    let header =
      #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
      + #""a":{"dtype":"I8","shape":[1],"data_offsets":[8,9]}}"#
    let padding = String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    let expected =
      [UInt8(header.utf8.count + padding.utf8.count), 0, 0, 0, 0, 0, 0, 0]
      + Array((header + padding).utf8) + [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 7]
    #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))) == expected)
  }

  @Test("What cannot be written leaves the old file as it was")
  func unwritable() throws {
    let path = folder.path + "/c.safetensors"
    let tensor = Tensor([Float(1)], shape: [1])
    try SafeTensorsFile.write([("old", tensor)], to: path)
    #expect(throws: DataError.self) {
      try SafeTensorsFile.write([("a", tensor), ("a", tensor)], to: path)
    }
    #expect(throws: DataError.self) {
      try SafeTensorsFile.write([("__metadata__", tensor)], to: path)
    }
    #expect(throws: DataError.self) {
      try SafeTensorsFile.write(
        [("a", Tensor(integers: [1, 2], shape: [2], elementType: .int4))], to: path)
    }
    #expect(try SafeTensorsFile(path: path).entries.map(\.name) == ["old"])
    #expect(throws: DataError.arrayMissing(path: path, name: "new", found: ["old"])) {
      try SafeTensorsFile(path: path).tensor("new")
    }
  }

  @Test(
    "Headers that lie are refused before anything is allocated for them",
    arguments: [
      // Overlap, gap, beyond the end, backwards, negative, too large for an integer.
      (
        #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}"#,
        6
      ),
      (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}"#, 8),
      (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, 8),
      (#"{"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}"#, 8),
      (#"{"a":{"dtype":"U8","shape":[0],"data_offsets":[4,0]}}"#, 4),
      (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[-4,0]}}"#, 4),
      (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,99999999999999999999]}}"#, 4),
      (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0]}}"#, 4),
      (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,2.5]}}"#, 4),
      // Shapes that do not fit their bytes, or any memory.
      (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, 8),
      (#"{"a":{"dtype":"F32","shape":[-1,-2],"data_offsets":[0,8]}}"#, 8),
      (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0),
      // Types, missing parts, other JSON.
      (#"{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}"#, 4),
      (#"{"a":{"shape":[4],"data_offsets":[0,4]}}"#, 4),
      (#"{"a":{"dtype":"U8","shape":"4","data_offsets":[0,4]}}"#, 4),
      (#"{"__metadata__":{"a":1}}"#, 0), (#"{"a":7}"#, 0), (#"{"a":"#, 0), ("[]", 0), ("", 0),
      (#"{"__metadata__":{}}"#, 1),
    ])
  func hostile(header: String, data: Int) throws {
    let path = try file(header, data: data)
    #expect(throws: DataError.self) { try SafeTensorsFile(path: path) }
  }

  @Test("A length beyond the file is refused", arguments: [3, 1 << 27, 1 << 40, UInt64.max])
  func length(claimed: UInt64) throws {
    let path = try file("{}", length: claimed)
    #expect(throws: DataError.self) { try SafeTensorsFile(path: path) }
    let short = try folder.write("short.safetensors", [1, 0, 0])
    #expect(throws: DataError.self) { try SafeTensorsFile(path: short) }
  }

  @Test("A header nested without end is refused")
  func nested() throws {
    let path = try file(#"{"a":"# + String(repeating: "[", count: 100_000))
    #expect(throws: DataError.self) { try SafeTensorsFile(path: path) }
  }
}
