// SPDX-License-Identifier: Apache-2.0

/// Images of the CIFAR-10 and CIFAR-100 binary batches, read record by record.
///
/// Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009; the binary
/// version: one label byte (CIFAR-100: the coarse one, then the fine one, which is used), then
/// 3 × 32 × 32 bytes, plane by plane.
struct CIFARSource: SampleSource {
  private let files: [RandomAccessFile]
  /// Index of each file's first record, and last the number of records.
  private let starts: [Int]
  private let labelBytes: Int

  private static let imageBytes = 3 * 32 * 32

  var count: Int { starts.last ?? 0 }

  func sample(at index: Int) throws(DataError) -> RawSample {
    let (file, record) = position(of: index)
    let size = labelBytes + Self.imageBytes
    let planes = try files[file].bytes(at: record * size + labelBytes, count: Self.imageBytes)
    guard planes.count == Self.imageBytes else {
      throw .malformed(path: location(at: index), format: .cifar, defect: "it is cut short")
    }
    let interleaved = [UInt8](unsafeUninitializedCapacity: planes.count) { target, initialized in
      planes.withUnsafeBufferPointer { source in
        for pixel in 0..<1024 {
          target[3 * pixel] = source[pixel]
          target[3 * pixel + 1] = source[1024 + pixel]
          target[3 * pixel + 2] = source[2048 + pixel]
        }
      }
      initialized = planes.count
    }
    return .image(ImageBytes(height: 32, width: 32, channels: 3, bytes: interleaved))
  }

  func location(at index: Int) -> String {
    let (file, record) = position(of: index)
    return "\(files[file].path), record \(record)"
  }

  private func position(of index: Int) -> (file: Int, record: Int) {
    let file = (starts.firstIndex { $0 > index } ?? starts.count) - 1
    return (min(max(file, 0), files.count - 1), index - starts[max(file, 0)])
  }

  private init(files: [RandomAccessFile], labelBytes: Int) throws(DataError) {
    var starts = [0]
    let size = labelBytes + Self.imageBytes
    for file in files {
      guard file.size > 0, file.size % size == 0 else {
        throw .malformed(
          path: file.path, format: .cifar,
          defect: "\(file.size) bytes are not a whole number of records of \(size)")
      }
      starts.append((starts.last ?? 0) + file.size / size)
    }
    self.files = files
    self.starts = starts
    self.labelBytes = labelBytes
  }

  private func labels() throws(DataError) -> [Int] {
    let size = labelBytes + Self.imageBytes
    var labels: [Int] = []
    labels.reserveCapacity(count)
    for file in files {
      var offset = 0
      while offset < file.size {
        let chunk = try file.bytes(at: offset, count: 128 * size)
        guard !chunk.isEmpty else { break }
        for record in stride(from: labelBytes - 1, to: chunk.count, by: size) {
          labels.append(Int(chunk[record]))
        }
        offset += chunk.count
      }
    }
    return labels
  }
}

extension CIFARSource {
  /// The batches in `folder`, or `nil` if it has none.
  static func open(_ folder: Folder, split: DatasetSplit) throws(DataError) -> OpenedSet? {
    let isBatch: (String) -> Bool = { $0.hasPrefix("data_batch_") && $0.hasSuffix(".bin") }
    let isTen = folder.files.contains { isBatch($0) || $0 == "test_batch.bin" }
    let train = folder.files.filter { isTen ? isBatch($0) : $0 == "train.bin" }
    let test = folder.files.filter { $0 == (isTen ? "test_batch.bin" : "test.bin") }
    guard !train.isEmpty || !test.isEmpty else { return nil }
    let names =
      switch split {
      case .train: train
      case .test: test
      case .all: train + test
      }
    guard !names.isEmpty else {
      throw .splitMissing(path: folder.path, split: split, found: train + test)
    }
    var files: [RandomAccessFile] = []
    for name in names { files.append(try RandomAccessFile(path: folder.path + "/" + name)) }
    var opened = try open(files: files, isTen: isTen)
    opened.splits = (train.isEmpty ? [] : [.train]) + (test.isEmpty ? [] : [.test])
    opened.split = split
    let metadata = isTen ? "batches.meta.txt" : "fine_label_names.txt"
    if folder.files.contains(metadata) {
      opened.classNames = try ClassNames.lines(of: folder.path + "/" + metadata)
      if isTen, opened.classNames?.first != "airplane" {
        opened.variant = "pictures in the form of CIFAR-10"
      }
    }
    return opened
  }

  /// The batch in one file; which of the two sets it is follows from the record size.
  static func open(file: RandomAccessFile) throws(DataError) -> OpenedSet {
    try open(files: [file], isTen: file.size % (1 + imageBytes) == 0)
  }

  private static func open(files: [RandomAccessFile], isTen: Bool) throws(DataError) -> OpenedSet {
    let source = try CIFARSource(files: files, labelBytes: isTen ? 1 : 2)
    let classCount = isTen ? 10 : 100
    let labels = try source.labels()
    if let wrong = labels.firstIndex(where: { $0 >= classCount }) {
      throw .malformed(
        path: source.location(at: wrong), format: .cifar,
        defect: "label \(labels[wrong]) of \(classCount) classes")
    }
    return OpenedSet(
      source: source, labels: labels, sampleShape: [3, 32, 32], classCount: classCount,
      variant: isTen ? "CIFAR-10" : "CIFAR-100")
  }
}
