// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// The rows of the array `x` of an `.npz`, with labels from `y`.
///
/// Rows of a stored array are read one by one; a deflated or column-major array is held in memory.
struct NpzSource: SampleSource {
  private let path: String
  private let storage: Storage
  private let elementType: ElementType
  private let rowShape: [Int]
  private let rowBytes: Int
  let count: Int

  private enum Storage: Sendable {
    case file(RandomAccessFile, offset: Int)
    case memory([UInt8])
  }

  func sample(at index: Int) throws(DataError) -> RawSample {
    let bytes: [UInt8]
    switch storage {
    case .memory(let all): bytes = Array(all[index * rowBytes..<(index + 1) * rowBytes])
    case .file(let file, let offset):
      bytes = try file.bytes(at: offset + index * rowBytes, count: rowBytes)
    }
    guard bytes.count == rowBytes else {
      throw .malformed(path: path, format: .npz, defect: "it was cut short while in use")
    }
    return .array(Tensor(uncheckedElementType: elementType, shape: rowShape, bytes: bytes))
  }

  func location(at index: Int) -> String { "\(path), row \(index) of x" }
}

extension NpzSource {
  static func open(_ path: String) throws(DataError) -> OpenedSet {
    let archive = try ZipArchive(path: path)
    let source = try NpzSource(archive, path: path)
    var labels: [Int]?
    if let entry = try? NpzFile.entry("y", in: archive) {
      let y = try NpyFile.decode(archive.contents(of: entry), path: "\(path)(y.npy)")
      labels = try self.labels(y, samples: source.count, path: "\(path)(y.npy)")
    }
    return OpenedSet(
      source: source, labels: labels, sampleShape: source.rowShape,
      variant: Folder.fileName(path))
  }

  private init(_ archive: ZipArchive, path: String) throws(DataError) {
    let entry = try NpzFile.entry("x", in: archive)
    let name = "\(path)(x.npy)"
    let dataOffset = try archive.dataOffset(of: entry)
    let header = try Self.header(of: entry, at: dataOffset, in: archive, name: name)
    if let header, !header.isFortranOrder {
      storage = .file(archive.file, offset: dataOffset + header.dataOffset)
      elementType = header.elementType
      rowShape = Array(header.shape.dropFirst())
      count = header.shape.first ?? 0
    } else {
      let x = try NpyFile.decode(archive.contents(of: entry), path: name)
      storage = .memory(x.bytes)
      elementType = x.elementType
      rowShape = Array(x.shape.dropFirst())
      count = x.shape.first ?? 0
    }
    rowBytes = elementType.byteCount(of: rowShape.reduce(1, *))
    self.path = path
    guard count > 0, rowBytes > 0 else {
      throw .malformed(path: name, format: .npy, defect: "it has no rows")
    }
  }

  /// The header of an array that is stored as it is, or `nil` for one that is compressed.
  private static func header(
    of entry: ZipArchive.Entry, at dataOffset: Int, in archive: ZipArchive, name: String
  ) throws(DataError) -> NpyHeader? {
    guard entry.method == 0, !entry.isEncrypted, entry.size == entry.compressedSize else {
      return nil
    }
    let start = try archive.file.bytes(
      at: dataOffset, count: min(entry.size, NpyHeader.greatestLength))
    let header = try NpyHeader(start, path: name)
    guard header.dataOffset + header.byteCount <= entry.size else {
      throw .malformed(path: name, format: .npy, defect: "it has fewer bytes than its shape takes")
    }
    return header
  }

  /// Class indices from `[n]`, `[n, 1]`, or the place of the greatest of `[n, classes]`.
  private static func labels(
    _ y: Tensor, samples: Int, path: String
  ) throws(DataError) -> [Int] {
    let rows = y.shape.first ?? 0
    guard rows == samples, rows > 0 else {
      throw .countMismatch(path: path, labels: rows, samples: samples)
    }
    let width = y.count / rows
    if width == 1 { return y.integers().map { Int($0) } }
    guard y.rank == 2 else {
      throw .malformed(path: path, format: .npy, defect: "labels of shape \(y.shape)")
    }
    let scores = y.reals()
    return (0..<rows).map { row in
      let line = scores[row * width..<(row + 1) * width]
      return (line.indices.max { line[$0] < line[$1] } ?? line.startIndex) - line.startIndex
    }
  }
}
