// SPDX-License-Identifier: Apache-2.0
import DataIO
import Foundation
import TensorCore
import Testing

@Suite("NumPy archives")
struct ArchiveTests {
  @Test("arrays read back by name, in order, the same bytes each time")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.npz"
    let x = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
    let y = Tensor([7, 8] as [Int64], shape: [2])
    try NpzFile.write([("x", x), ("y", y)], to: path)
    #expect(try NpzFile.names(path) == ["x", "y"])
    #expect(try NpzFile.read(path) == ["x": x, "y": y])
    let first = try Data(contentsOf: URL(fileURLWithPath: path))
    try NpzFile.write([("x", x), ("y", y)], to: path)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == first)
    #expect(throws: DataError.arrayMissing(path: path, name: "z", found: ["x", "y"])) {
      try NpzFile.read("z", from: path)
    }
  }

  /// `numpy.savez_compressed(f, x=numpy.arange(6, dtype="i2").reshape(2, 3))`, NumPy 2.4: deflated,
  /// with the 64-bit extra field that NumPy forces on each member.
  private let deflated = """
    UEsDBC0AAAAIAAAAIQAaTph+//////////8FABQAeC5ucHkBABAAjAAAAAAAAABSAAAAAAAAAJvsF+obEMnIUMZQrZ
    6SWpxcpG6loG6TaaSuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CsaaOgq1CmQDLgYGRgYmBmYGFgZW
    BgBQSwECLQMtAAAACAAAACEAGk6YflIAAACMAAAABQAAAAAAAAAAAAAAgAEAAAAAeC5ucHlQSwUGAAAAAAEAAQAzAA
    AAiQAAAAAA
    """

  @Test("a deflated archive of NumPy is read")
  func compressed() throws {
    let folder = try TemporaryFolder()
    let bytes = [UInt8](try #require(Data(base64Encoded: deflated.filter { !$0.isWhitespace })))
    let path = try folder.write("a.npz", bytes)
    #expect(
      try NpzFile.read(path) == ["x": Tensor([0, 1, 2, 3, 4, 5] as [Int16], shape: [2, 3])])
  }

  @Test("every truncation and every changed byte is read as before or refused, never more")
  func damage() throws {
    let folder = try TemporaryFolder()
    let bytes = [UInt8](try #require(Data(base64Encoded: deflated.filter { !$0.isWhitespace })))
    for length in 0..<bytes.count {
      let path = try folder.write("a.npz", Array(bytes.prefix(length)))
      #expect(throws: DataError.self) { try NpzFile.read(path) }
    }
    for position in bytes.indices {
      var changed = bytes
      changed[position] ^= 0xff
      let path = try folder.write("a.npz", changed)
      if let arrays = try? NpzFile.read(path) { #expect(arrays.count <= 1) }
    }
  }

  @Test("sizes and offsets in 64-bit fields are used")
  func wideFields() throws {
    let array = NpyFile.encode(Tensor([5, 6] as [UInt8], shape: [2]))
    let folder = try TemporaryFolder()
    let path = try folder.write("a.npz", wideArchive(array, size: array.count))
    #expect(try NpzFile.read(path) == ["x": Tensor([5, 6] as [UInt8], shape: [2])])
    let hostile = try folder.write("b.npz", wideArchive(array, size: 1 << 47))
    #expect(throws: DataError.self) { try NpzFile.read(hostile) }
  }

  @Test("members that share their bytes are refused: they expand without bound")
  func overlapping() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.npz"
    let x = Tensor([Float](repeating: 1, count: 1000), shape: [1000])
    try NpzFile.write([("x", x)], to: path)
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    func number(_ start: Int, _ width: Int) -> Int {
      bytes[start..<start + width].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    func written(_ value: Int, _ width: Int) -> [UInt8] {
      (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    let end = bytes.count - 22
    let (size, start) = (number(end + 12, 4), number(end + 16, 4))
    let directory = Array(bytes[start..<start + size])
    var bomb = Array(bytes[..<start]) + directory + directory + directory
    bomb += Array(bytes[end..<end + 8]) + written(3, 2) + written(3, 2)
    bomb += written(3 * size, 4) + written(start, 4) + written(0, 2)
    let file = try folder.write("bomb.npz", bomb)
    let error = #expect(throws: DataError.self) { try NpzFile.read(file) }
    #expect(error?.description.contains("more bytes than the file has") == true)
  }

  @Test("a large member may shrink a hundredfold, a small one as far as deflate goes")
  func plausibleSizes() {
    #expect(Inflater.isPlausible(1_000_000, from: 1000))
    #expect(!Inflater.isPlausible(1_100_000, from: 1000))
    #expect(Inflater.isPlausible(1 << 30, from: 11_000_000))
    #expect(!Inflater.isPlausible(1 << 30, from: 2_000_000))
  }

  @Test("something else is no archive")
  func notAnArchive() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.npz", Array("not a zip file at all, really".utf8))
    let error = #expect(throws: DataError.self) { try NpzFile.names(path) }
    #expect(error?.description.contains("no zip directory") == true)
  }

  /// A zip file of one stored member whose sizes and offset, and whose directory, are all given in
  /// 64-bit fields.
  private func wideArchive(_ contents: [UInt8], size: Int) -> [UInt8] {
    func number(_ value: UInt64, _ width: Int) -> [UInt8] {
      (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }
    let plain = NpyFile.encode(Tensor([5, 6] as [UInt8], shape: [2]))
    let checksum = number(UInt64(Checksum.crc32(plain)), 4)
    let unknown = number(0xffff_ffff, 4)
    let name = Array("x.npy".utf8)
    let common = number(45, 2) + number(0, 8) + checksum + unknown + unknown + number(5, 2)
    let sizes = number(UInt64(size), 8) + number(UInt64(contents.count), 8)
    var bytes = number(0x0403_4b50, 4) + common + number(20, 2) + name
    bytes += number(1, 2) + number(16, 2) + sizes + contents
    let directory =
      number(0x0201_4b50, 4) + number(45, 2) + common + number(28, 2) + number(0, 10) + unknown
      + name + number(1, 2) + number(24, 2) + sizes + number(0, 8)
    let start = bytes.count
    bytes += directory
    let record = bytes.count
    bytes += number(0x0606_4b50, 4) + number(44, 8) + number(45, 2) + number(45, 2) + number(0, 8)
    bytes += number(1, 8) + number(1, 8) + number(UInt64(directory.count), 8)
    bytes += number(UInt64(start), 8)
    bytes += number(0x0706_4b50, 4) + number(0, 4) + number(UInt64(record), 8) + number(1, 4)
    bytes += number(0x0605_4b50, 4) + number(0, 4) + number(0xffff, 2) + number(0xffff, 2)
    return bytes + unknown + unknown + number(0, 2)
  }
}

/// CRC-32, bit by bit.
enum Checksum {
  static func crc32(_ bytes: [UInt8]) -> UInt32 {
    var value: UInt32 = 0xffff_ffff
    for byte in bytes {
      value ^= UInt32(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
    }
    return ~value
  }
}
