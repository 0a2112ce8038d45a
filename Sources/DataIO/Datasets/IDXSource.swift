// SPDX-License-Identifier: Apache-2.0

/// Images of one or several IDX files.
struct IDXSource: SampleSource {
  private let files: [IDXFile]
  private let starts: [Int]
  private let height: Int
  private let width: Int
  private let channels: Int

  var count: Int { starts.last ?? 0 }

  func sample(at index: Int) throws(DataError) -> RawSample {
    let (file, position) = place(of: index)
    let size = height * width * channels
    let bytes = try files[file].elements(at: position * size, count: size)
    return .image(ImageBytes(height: height, width: width, channels: channels, bytes: bytes))
  }

  func location(at index: Int) -> String {
    let (file, position) = place(of: index)
    return "\(files[file].path), image \(position)"
  }

  private func place(of index: Int) -> (file: Int, position: Int) {
    let file = max(0, (starts.firstIndex { $0 > index } ?? starts.count) - 1)
    return (min(file, files.count - 1), index - starts[file])
  }

  private init(_ files: [IDXFile]) throws(DataError) {
    let shape = files[0].dimensions.dropFirst()
    var starts = [0]
    for file in files {
      let ownShape = file.dimensions.dropFirst()
      guard ownShape == shape, (2...3).contains(ownShape.count), !ownShape.contains(0) else {
        throw .malformed(
          path: file.path, format: .idx, defect: "dimensions \(file.dimensions)")
      }
      starts.append((starts.last ?? 0) + file.dimensions[0])
    }
    self.files = files
    self.starts = starts
    height = files[0].dimensions[1]
    width = files[0].dimensions[2]
    channels = files[0].dimensions.count == 4 ? files[0].dimensions[3] : 1
  }
}

extension IDXSource {
  /// The IDX files in `folder`, or `nil` if it has none.
  static func open(_ folder: Folder, split: DatasetSplit) throws(DataError) -> OpenedSet? {
    let candidates = folder.files.filter { name in
      let lower = name.lowercased()
      return lower.contains("idx") || lower.contains("ubyte")
    }
    let images = unique(candidates).filter { IDXFile.isImages(folder.path + "/" + $0) }
    guard !images.isEmpty else { return nil }
    let train = images.filter { $0.contains("train") }
    let test = images.filter { isTest($0) }
    let hasSplits = !train.isEmpty || !test.isEmpty
    let chosen: [String] =
      switch hasSplits ? split : .all {
      case .train: train
      case .test: test
      case .all: hasSplits ? train + test : images
      }
    guard !chosen.isEmpty else {
      throw .splitMissing(path: folder.path, split: split, found: images)
    }
    var opened = try open(chosen, in: folder)
    opened.splits = (train.isEmpty ? [] : [.train]) + (test.isEmpty ? [] : [.test])
    opened.split = hasSplits ? split : .all
    opened.classNames = try ClassNames.beside(folder)
    return opened
  }

  /// One file of images, with the labels beside it if there are any.
  static func open(imageFile path: String) throws(DataError) -> OpenedSet {
    let name = Folder.fileName(path)
    let parent = String(path.dropLast(name.count))
    return try open([name], in: Folder(path: parent.isEmpty ? "." : parent))
  }

  private static func open(_ names: [String], in folder: Folder) throws(DataError) -> OpenedSet {
    var files: [IDXFile] = []
    var labels: [Int]? = []
    for name in names {
      let images = try IDXFile(path: folder.path + "/" + name)
      files.append(images)
      guard let labelName = labelFile(of: name, in: folder) else {
        labels = nil
        continue
      }
      let labelFile = try IDXFile(path: folder.path + "/" + labelName)
      let count = labelFile.dimensions.reduce(1, *)
      guard labelFile.dimensions.count == 1, count == images.dimensions[0] else {
        throw .countMismatch(path: labelFile.path, labels: count, samples: images.dimensions[0])
      }
      labels?.append(contentsOf: try labelFile.elements(at: 0, count: count).map { Int($0) })
    }
    let source = try IDXSource(files)
    return OpenedSet(
      source: source, labels: labels,
      sampleShape: [source.channels, source.height, source.width], variant: "IDX files",
      notes: labels == nil ? ["\(folder.path): no label file beside \(names[0])"] : [])
  }

  private static func labelFile(of images: String, in folder: Folder) -> String? {
    let stem = withoutSuffix(images).lowercased()
      .replacing("images", with: "labels").replacing("idx3", with: "idx1")
      .replacing("idx4", with: "idx1")
    return folder.files.first { withoutSuffix($0).lowercased() == stem && $0 != images }
  }

  private static func isTest(_ name: String) -> Bool {
    name.contains("t10k") || name.contains("test")
  }

  private static func withoutSuffix(_ name: String) -> String {
    name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
  }

  /// The names without those `.gz` files whose plain form stands beside them.
  private static func unique(_ names: [String]) -> [String] {
    names.filter { !$0.hasSuffix(".gz") || !names.contains(withoutSuffix($0)) }
  }
}
