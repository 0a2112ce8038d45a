// SPDX-License-Identifier: Apache-2.0
import DataIO
import Foundation
import TensorCore
import Testing

@Suite("NumPy array files")
struct ArrayFileTests {
  @Test(
    "every element type reads back as written, or as the wider type that NumPy has for it",
    arguments: ElementType.allCases)
  func roundTrip(type: ElementType) throws {
    let tensor = Tensor(integers: [0, 1, 1, 0, 1, 1], shape: [2, 3], elementType: type)
    let folder = try TemporaryFolder()
    let path = folder.path + "/x.npy"
    try NpyFile.write(tensor, to: path)
    let read = try NpyFile.read(path)
    #expect(read.shape == [2, 3])
    #expect(read.reals() == tensor.reals())
    let wider: [ElementType: ElementType] = [
      .bfloat16: .float32, .int4: .int8, .int2: .int8, .uint4: .uint8, .uint2: .uint8,
    ]
    #expect(read.elementType == wider[type] ?? type)
  }

  @Test("scalars, empty arrays and vectors keep their shape", arguments: [[], [0, 3], [1], [5]])
  func shapes(shape: [Int]) throws {
    let tensor = Tensor(zerosOf: .float32, shape: shape)
    #expect(try NpyFile.decode(NpyFile.encode(tensor), path: "x.npy") == tensor)
  }

  @Test("the header is padded so that the elements start at a multiple of 64")
  func alignment() {
    let bytes = NpyFile.encode(Tensor([Float(1)], shape: [1]))
    #expect((bytes.count - 4) % 64 == 0)
    #expect(bytes[bytes.count - 5] == UInt8(ascii: "\n"))
  }

  @Test("Fortran order becomes row-major order")
  func fortranOrder() throws {
    let bytes = npy(
      "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }", [1, 4, 2, 5, 3, 6])
    let tensor = try NpyFile.decode(bytes, path: "x.npy")
    #expect(tensor == Tensor([1, 2, 3, 4, 5, 6] as [Int16], shape: [2, 3]))
  }

  @Test("format versions 1 to 3 are read", arguments: [UInt8(1), 2, 3])
  func versions(version: UInt8) throws {
    let header = "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }"
    let tensor = try NpyFile.decode(npy(header, [7, -1], version: version), path: "x.npy")
    #expect(tensor == Tensor([7, -1] as [Int16], shape: [2]))
  }

  @Test(
    "hostile and foreign headers are refused by name",
    arguments: [
      ("{'descr': '>i2', 'fortran_order': False, 'shape': (1,), }", "big-endian"),
      ("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "|O"),
      ("{'descr': [('a', '<i2')], 'fortran_order': False, 'shape': (1,), }", "structured"),
      ("{'descr': '<i2', 'fortran_order': False, 'shape': (-1,), }", "negative"),
      (
        "{'descr': '<i2', 'fortran_order': False, 'shape': (9223372036854775807, 4), }",
        "more elements"
      ),
      (
        "{'descr': '<i2', 'fortran_order': False, 'shape': (99999999999999999999,), }", "dictionary"
      ),
      ("{'descr': '<i2', 'fortran_order': False, 'shape': (1000000,), }", "2 bytes of elements"),
      ("{'descr': '<i2', 'fortran_order': False, }", "lacks"),
      ("{'descr': '<i2', 'fortran_order'", "not a dictionary"),
      ("", "not a dictionary"),
    ])
  func hostileHeaders(header: String, words: String) throws {
    let error = #expect(throws: DataError.self) {
      try NpyFile.decode(npy(header, [1]), path: "bad.npy")
    }
    #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    #expect(error?.description.contains("bad.npy") == true)
  }

  @Test("every truncation of a file is refused")
  func truncation() throws {
    let bytes = NpyFile.encode(Tensor([1, 2, 3] as [Float], shape: [3]))
    for length in 0..<bytes.count {
      #expect(throws: DataError.self) {
        try NpyFile.decode(Array(bytes.prefix(length)), path: "x.npy")
      }
    }
  }

  @Test("a header that claims four gigabytes is refused")
  func hugeHeader() {
    let bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [2, 0, 255, 255, 255, 255, 0, 0]
    #expect(throws: DataError.self) { try NpyFile.decode(bytes, path: "x.npy") }
  }

  private func npy(_ header: String, _ elements: [Int16], version: UInt8 = 1) -> [UInt8] {
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [version, 0]
    let length = header.utf8.count
    bytes += [UInt8(length & 255), UInt8(length >> 8)] + (version == 1 ? [] : [0, 0])
    bytes += Array(header.utf8)
    for element in elements {
      bytes += [UInt8(truncatingIfNeeded: element), UInt8(truncatingIfNeeded: element >> 8)]
    }
    return bytes
  }
}
