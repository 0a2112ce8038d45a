// SPDX-License-Identifier: Apache-2.0

/// The content of an IDX file of unsigned bytes, plain or in gzip.
///
/// Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits": two zero bytes, the
/// element type, the number of dimensions, the dimensions big-endian, the elements row-major.
struct IDXFile: Sendable {
  let path: String
  let dimensions: [Int]
  /// Where the elements are: in a plain file, or in memory if the file was compressed.
  private let storage: Storage
  private let dataOffset: Int

  private enum Storage: Sendable { case file(RandomAccessFile), memory([UInt8]) }

  init(path: String) throws(DataError) {
    let file = try RandomAccessFile(path: path)
    let start = try file.bytes(at: 0, count: 1 << 16)
    let isCompressed = start.starts(with: [0x1f, 0x8b])
    guard let magic = isCompressed ? Inflater.prefix(4, of: start, .gzip) : Array(start.prefix(4))
    else { throw .malformed(path: path, format: .gzip, defect: "it does not decompress") }
    guard magic.count == 4, magic[0] == 0, magic[1] == 0 else {
      throw .malformed(path: path, format: .idx, defect: "it does not start with two zero bytes")
    }
    guard magic[2] == 8, (1...4).contains(magic[3]) else {
      throw .unsupported(
        path: path, format: .idx, feature: "element type \(magic[2]) and \(magic[3]) dimensions")
    }
    let headerLength = 4 + 4 * Int(magic[3])
    guard
      let header = isCompressed
        ? Inflater.prefix(headerLength, of: start, .gzip) : Array(start.prefix(headerLength)),
      header.count == headerLength
    else { throw .malformed(path: path, format: .idx, defect: "it ends within the header") }
    let dimensions = (1...Int(magic[3])).compactMap { header.bigEndian32(at: 4 * $0) }
    var count = 1
    for dimension in dimensions {
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      guard !overflow, product < 1 << 48 else {
        throw .malformed(path: path, format: .idx, defect: "dimensions \(dimensions)")
      }
      count = product
    }
    self.path = path
    self.dimensions = dimensions
    dataOffset = headerLength
    let cut = DataError.malformed(
      path: path, format: .idx,
      defect: "it has fewer bytes than its dimensions \(dimensions) take")
    if isCompressed {
      guard Inflater.isPlausible(headerLength + count, from: file.size),
        let all = Inflater.prefix(headerLength + count, of: try file.contents(), .gzip)
      else { throw cut }
      storage = .memory(all)
    } else {
      guard file.size >= headerLength + count else { throw cut }
      storage = .file(file)
    }
  }

  /// `count` elements from the one at `offset`, which must be there.
  func elements(at offset: Int, count: Int) throws(DataError) -> [UInt8] {
    switch storage {
    case .memory(let bytes):
      return Array(bytes[dataOffset + offset..<dataOffset + offset + count])
    case .file(let file):
      let bytes = try file.bytes(at: dataOffset + offset, count: count)
      guard bytes.count == count else {
        throw .malformed(path: path, format: .idx, defect: "it was cut short while in use")
      }
      return bytes
    }
  }

  /// Number of dimensions if the file at `path` starts like an IDX file of bytes.
  static func rank(_ path: String) -> Int? {
    guard let file = try? RandomAccessFile(path: path),
      let start = try? file.bytes(at: 0, count: 1 << 12)
    else { return nil }
    let magic =
      start.starts(with: [0x1f, 0x8b])
      ? Inflater.prefix(4, of: start, .gzip) ?? [] : Array(start.prefix(4))
    guard magic.count == 4, magic[0] == 0, magic[1] == 0, magic[2] == 8 else { return nil }
    return Int(magic[3])
  }

  static func isImages(_ path: String) -> Bool { rank(path).map { $0 == 3 || $0 == 4 } ?? false }
}
