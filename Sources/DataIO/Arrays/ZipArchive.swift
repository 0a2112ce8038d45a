// SPDX-License-Identifier: Apache-2.0

/// The directory of a zip file, and its members on demand.
///
/// Source: PKWARE, ".ZIP File Format Specification" 6.3.10, sections 4.3 to 4.5. Stored and
/// deflated members are read, with the 64-bit sizes of section 4.5.3; nothing is encrypted.
struct ZipArchive: Sendable {
  struct Entry: Sendable, Equatable {
    var name: String
    var method: Int
    var isEncrypted: Bool
    var checksum: UInt32
    var compressedSize: Int
    var size: Int
    var headerOffset: Int
  }

  let file: RandomAccessFile
  let entries: [Entry]

  /// Reads the directory of the zip file at `path`.
  ///
  /// - Throws: `DataError` if the file cannot be read or is not a zip file.
  init(path: String) throws(DataError) {
    file = try RandomAccessFile(path: path)
    let directory = try Self.directory(of: file)
    entries = try Self.entries(in: directory, of: file)
  }

  /// Offset of the member's first byte in the file.
  func dataOffset(of entry: Entry) throws(DataError) -> Int {
    let header = try file.bytes(at: entry.headerOffset, count: 30)
    guard header.littleEndian(at: 0, width: 4) == 0x0403_4b50,
      let nameLength = header.littleEndian(at: 26, width: 2),
      let extraLength = header.littleEndian(at: 28, width: 2)
    else { throw malformed("member \"\(entry.name)\" has no header") }
    let start = entry.headerOffset + 30 + Int(nameLength) + Int(extraLength)
    guard entry.compressedSize <= file.size - start else {
      throw malformed("member \"\(entry.name)\" reaches beyond the end of the file")
    }
    return start
  }

  /// The member's bytes, decompressed and checked against their checksum.
  func contents(of entry: Entry) throws(DataError) -> [UInt8] {
    guard !entry.isEncrypted else {
      throw .unsupported(path: file.path, format: .npz, feature: "an encrypted member")
    }
    let start = try dataOffset(of: entry)
    let stored = try file.bytes(at: start, count: entry.compressedSize)
    let contents: [UInt8]
    switch entry.method {
    case 0: contents = stored
    case 8:
      guard Inflater.isPlausible(entry.size, from: stored.count),
        let inflated = Inflater.prefix(entry.size, of: stored, .none)
      else { throw malformed("member \"\(entry.name)\" does not decompress to its size") }
      contents = inflated
    default:
      throw .unsupported(
        path: file.path, format: .npz, feature: "compression method \(entry.method)")
    }
    guard contents.count == entry.size, Inflater.checksum(contents) == entry.checksum else {
      throw malformed("the checksum of member \"\(entry.name)\" is wrong")
    }
    return contents
  }

  private func malformed(_ defect: String) -> DataError {
    .malformed(path: file.path, format: .npz, defect: defect)
  }
}

extension ZipArchive {
  private static func malformed(_ file: RandomAccessFile, _ defect: String) -> DataError {
    .malformed(path: file.path, format: .npz, defect: defect)
  }

  /// The bytes of the central directory.
  private static func directory(of file: RandomAccessFile) throws(DataError) -> [UInt8] {
    let tailStart = max(0, file.size - 65_557)
    let tail = try file.bytes(at: tailStart, count: 65_557)
    let positions = stride(from: tail.count - 22, through: 0, by: -1)
    guard let end = positions.first(where: { tail.littleEndian(at: $0, width: 4) == 0x0605_4b50 }),
      var size = tail.littleEndian(at: end + 12, width: 4),
      var offset = tail.littleEndian(at: end + 16, width: 4)
    else { throw malformed(file, "it has no zip directory") }
    if end >= 20, tail.littleEndian(at: end - 20, width: 4) == 0x0706_4b50,
      let position = tail.littleEndian(at: end - 12, width: 8), position < UInt64(file.size)
    {
      let record = try file.bytes(at: Int(position), count: 56)
      guard record.littleEndian(at: 0, width: 4) == 0x0606_4b50,
        let wideSize = record.littleEndian(at: 40, width: 8),
        let wideOffset = record.littleEndian(at: 48, width: 8)
      else { throw malformed(file, "its 64-bit zip directory is damaged") }
      size = wideSize
      offset = wideOffset
    }
    let (bound, overflow) = offset.addingReportingOverflow(size)
    guard !overflow, bound <= UInt64(file.size) else {
      throw malformed(file, "its directory reaches beyond the end of the file")
    }
    return try file.bytes(at: Int(offset), count: Int(size))
  }

  private static func entries(
    in directory: [UInt8], of file: RandomAccessFile
  ) throws(DataError) -> [Entry] {
    var entries: [Entry] = []
    var position = 0
    while position + 46 <= directory.count {
      guard directory.littleEndian(at: position, width: 4) == 0x0201_4b50 else { break }
      func field(_ offset: Int, _ width: Int) -> UInt64 {
        directory.littleEndian(at: position + offset, width: width) ?? 0
      }
      let nameStart = position + 46
      let extraStart = nameStart + Int(field(28, 2))
      let next = extraStart + Int(field(30, 2)) + Int(field(32, 2))
      guard next <= directory.count else { throw malformed(file, "its directory is cut short") }
      let extra = Array(directory[extraStart..<extraStart + Int(field(30, 2))])
      // The 64-bit sizes stand in the order of the 32-bit ones they replace, only where needed.
      var wide = wideFields(extra)
      func widened(_ value: UInt64) -> UInt64? {
        guard value == 0xffff_ffff, !wide.isEmpty else { return value }
        return wide.removeFirst()
      }
      guard let size = widened(field(24, 4)), let compressedSize = widened(field(20, 4)),
        let offset = widened(field(42, 4)), size < UInt64(1) << 48,
        compressedSize <= UInt64(file.size), offset <= UInt64(file.size)
      else { throw malformed(file, "a member claims more bytes than there are") }
      entries.append(
        Entry(
          name: String(decoding: directory[nameStart..<extraStart], as: UTF8.self),
          method: Int(field(10, 2)), isEncrypted: field(8, 2) & 1 != 0,
          checksum: UInt32(field(16, 4)), compressedSize: Int(compressedSize), size: Int(size),
          headerOffset: Int(offset)))
      position = next
    }
    // Members that share bytes can expand without bound.
    guard entries.reduce(0, { $0 + $1.compressedSize }) <= file.size else {
      throw malformed(file, "its members take more bytes than the file has")
    }
    return entries
  }

  private static func wideFields(_ extra: [UInt8]) -> [UInt64] {
    var position = 0
    while let tag = extra.littleEndian(at: position, width: 2),
      let length = extra.littleEndian(at: position + 2, width: 2)
    {
      if tag == 1 {
        return (0..<Int(length) / 8).compactMap {
          extra.littleEndian(at: position + 4 + 8 * $0, width: 8)
        }
      }
      position += 4 + Int(length)
    }
    return []
  }
}
