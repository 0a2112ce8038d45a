// SPDX-License-Identifier: Apache-2.0

/// Images in files of their own, decoded when asked for.
struct ImageFolderSource: SampleSource {
  private let root: String
  private let files: [String]

  var count: Int { files.count }

  func sample(at index: Int) throws(DataError) -> RawSample {
    .image(try ImageBytes.read(location(at: index)))
  }

  func location(at index: Int) -> String { root + "/" + files[index] }
}

extension ImageFolderSource {
  /// The images under `folder`, or `nil` if it has none.
  static func open(_ folder: Folder, split: DatasetSplit) throws(DataError) -> OpenedSet? {
    let train = folder.folders.filter { ["train", "training"].contains($0.lowercased()) }
    let test = folder.folders.filter {
      ["test", "testing", "val", "valid", "validation"].contains($0.lowercased())
    }
    let hasTrain = try holdsImages(train, in: folder)
    let hasTest = try holdsImages(test, in: folder)
    guard hasTrain || hasTest else { return try openPart(folder) }
    let names: [String] =
      switch split {
      case .train: hasTrain ? train : []
      case .test: hasTest ? test : []
      case .all: (hasTrain ? train : []) + (hasTest ? test : [])
      }
    guard !names.isEmpty else {
      throw .splitMissing(path: folder.path, split: split, found: train + test)
    }
    var parts: [OpenedSet] = []
    for name in names {
      if let part = try openPart(Folder(path: folder.path + "/" + name), prefix: name) {
        parts.append(part)
      }
    }
    guard var opened = parts.first else { return nil }
    opened.labels = parts.allSatisfy { $0.labels != nil } ? parts.flatMap { $0.labels ?? [] } : nil
    if parts.contains(where: { $0.classNames != opened.classNames }) { opened.classNames = nil }
    if opened.classNames == nil { opened.classNames = try ClassNames.beside(folder) }
    opened.notes = parts.flatMap(\.notes)
    let files = parts.compactMap { $0.source as? ImageFolderSource }.flatMap(\.files)
    opened.source = ImageFolderSource(root: folder.path, files: files)
    opened.split = split
    opened.splits = (hasTrain ? [.train] : []) + (hasTest ? [.test] : [])
    return opened
  }

  /// The images of one split; file names are given the prefix, which is the split's folder.
  private static func openPart(
    _ folder: Folder, prefix: String? = nil
  ) throws(DataError) -> OpenedSet? {
    var part: LabelledFiles
    if folder.files.contains("labels.csv") {
      part = try LabelsCSV.read(in: folder)
    } else {
      let flat = folder.files.filter { isImage($0) }
      part = flat.isEmpty ? try classFolders(in: folder) : indexed(flat, in: folder)
    }
    guard !part.files.isEmpty else { return nil }
    if part.classNames == nil { part.classNames = try ClassNames.beside(folder) }
    let files = prefix.map { prefix in part.files.map { prefix + "/" + $0 } } ?? part.files
    let root = prefix.map { String(folder.path.dropLast($0.count + 1)) } ?? folder.path
    return OpenedSet(
      source: ImageFolderSource(root: root, files: files), labels: part.labels,
      classNames: part.classNames, variant: "image folder", notes: part.notes)
  }

  private static func classFolders(in folder: Folder) throws(DataError) -> LabelledFiles {
    var result = LabelledFiles()
    var labels: [Int] = []
    var names: [String] = []
    for name in folder.folders {
      let files = try images(under: name, in: folder.path, depth: 0)
      guard !files.isEmpty else { continue }
      result.files += files
      labels += [Int](repeating: names.count, count: files.count)
      names.append(name)
    }
    result.labels = labels
    result.classNames = names
    let numbers = names.compactMap { Int($0) }
    if !numbers.isEmpty, numbers.count == names.count, numbers != numbers.sorted() {
      let first = names.prefix(3).joined(separator: ", ")
      result.notes.append(
        "\(folder.path): classes follow the folder names as text (\(first), …), not as numbers")
    }
    return result
  }

  private static func indexed(_ files: [String], in folder: Folder) -> LabelledFiles {
    let labels = files.compactMap { leadingIndex($0) }
    if labels.count == files.count { return LabelledFiles(files: files, labels: labels) }
    let note =
      labels.isEmpty
      ? []
      : [
        "\(folder.path): \(labels.count) of \(files.count) file names start with a class index; "
          + "the set is taken as unlabelled"
      ]
    return LabelledFiles(files: files, labels: nil, notes: note)
  }

  /// The class index that a name such as `0012.jpg` or `12_name.jpg` starts with.
  static func leadingIndex(_ name: String) -> Int? {
    let digits = name.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty, let next = name.dropFirst(digits.count).first, "._- ".contains(next)
    else { return nil }
    return Int(digits)
  }

  static func isImage(_ name: String) -> Bool {
    let lower = name.lowercased()
    return lower.hasSuffix(".jpg") || lower.hasSuffix(".jpeg") || lower.hasSuffix(".png")
  }

  private static func images(
    under name: String, in root: String, depth: Int
  ) throws(DataError) -> [String] {
    guard depth < 8 else { return [] }
    let folder = try Folder(path: root + "/" + name)
    var files = folder.files.filter { isImage($0) }.map { name + "/" + $0 }
    for inner in folder.folders {
      files += try images(under: name + "/" + inner, in: root, depth: depth + 1)
    }
    return files
  }

  private static func holdsImages(_ names: [String], in folder: Folder) throws(DataError) -> Bool {
    for name in names {
      let inner = try Folder(path: folder.path + "/" + name)
      if inner.files.contains(where: { isImage($0) || $0 == "labels.csv" }) { return true }
      for deeper in inner.folders {
        if try !images(under: deeper, in: inner.path, depth: 1).isEmpty { return true }
      }
    }
    return false
  }
}

/// Image files, relative to a folder, and their labels.
struct LabelledFiles {
  var files: [String] = []
  var labels: [Int]?
  var classNames: [String]?
  var notes: [String] = []
}
