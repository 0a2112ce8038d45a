// SPDX-License-Identifier: Apache-2.0
import Foundation

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
  private static let trainNames = ["train", "training"]
  private static let testNames = ["test", "testing", "val", "valid", "validation"]

  /// The images under `folder`, or `nil` if it has none.
  static func open(_ folder: Folder, split: DatasetSplit) throws(DataError) -> OpenedSet? {
    let parts = try self.parts(of: folder)
    let all = parts.flatMap(\.images.files)
    guard !all.isEmpty else { return nil }
    let chosen = parts.filter { split == .all || $0.split == .all || $0.split == split }
    guard !chosen.isEmpty else {
      throw .splitMissing(path: folder.path, split: split, found: folder.names)
    }
    let names = Set(parts.flatMap { $0.images.classNames ?? [] }).sorted(by: precedes)
    let labelled = chosen.allSatisfy { $0.images.labels != nil }
    var opened = OpenedSet(
      source: ImageFolderSource(root: folder.path, files: chosen.flatMap(\.images.files)),
      variant: "image folder", notes: chosen.flatMap(\.images.notes))
    if labelled { opened.labels = chosen.flatMap { renumbered($0.images, names) } }
    opened.classNames = names.isEmpty ? try ClassNames.beside(folder) : names
    opened.splits = [.train, .test].filter { split in parts.contains { $0.split == split } }
    opened.split = opened.splits.isEmpty ? .all : split
    return opened
  }

  /// The images of each split, or of the whole folder if it has no splits.
  private static func parts(
    of folder: Folder
  ) throws(DataError) -> [(split: DatasetSplit, images: LabelledFiles)] {
    let listed = folder.files.contains("labels.csv") ? try LabelsCSV.read(in: folder) : nil
    var parts: [(split: DatasetSplit, images: LabelledFiles)] = []
    for name in folder.folders {
      let lower = name.lowercased()
      let split: DatasetSplit
      if trainNames.contains(lower) {
        split = .train
      } else if testNames.contains(lower) {
        split = .test
      } else {
        continue
      }
      var images: LabelledFiles
      if let listed {
        images = listed.under(name + "/")
      } else {
        images = try labelled(Folder(path: folder.path + "/" + name), leastClasses: 1)
        images.files = images.files.map { name + "/" + $0 }
      }
      if !images.files.isEmpty { parts.append((split, images)) }
    }
    let inSplits = parts.reduce(0) { $0 + $1.images.files.count }
    if let listed, listed.files.count != inSplits { return [(.all, listed)] }
    return parts.isEmpty ? [(.all, try labelled(folder, leastClasses: 2))] : parts
  }

  /// The images in the folder and their labels, however they are given.
  private static func labelled(
    _ folder: Folder, leastClasses: Int
  ) throws(DataError) -> LabelledFiles {
    if folder.files.contains("labels.csv") { return try LabelsCSV.read(in: folder) }
    let flat = folder.files.filter { isImage($0) }
    return flat.isEmpty
      ? try classFolders(in: folder, least: leastClasses) : indexed(flat, in: folder)
  }

  /// The labels in the numbering of all splits together: one may lack a class.
  private static func renumbered(_ images: LabelledFiles, _ names: [String]) -> [Int] {
    guard let own = images.classNames, own != names else { return images.labels ?? [] }
    let positions = own.map { names.firstIndex(of: $0) ?? -1 }
    return (images.labels ?? []).map { positions[$0] }
  }

  static func precedes(_ first: String, _ second: String) -> Bool {
    first.utf8.lexicographicallyPrecedes(second.utf8)
  }

  /// The images of `least` class folders or more; none if there are fewer.
  private static func classFolders(
    in folder: Folder, least: Int
  ) throws(DataError) -> LabelledFiles {
    var result = LabelledFiles()
    var labels: [Int] = []
    var names: [String] = []
    for name in folder.folders {
      var seen: Set<String> = []
      let files = try images(under: name, in: folder.path, depth: 0, &seen)
      guard !files.isEmpty else { continue }
      result.files += files
      labels += [Int](repeating: names.count, count: files.count)
      names.append(name)
    }
    // One folder of images among others is no set of classes.
    guard names.count >= least else { return LabelledFiles() }
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
    under name: String, in root: String, depth: Int, _ seen: inout Set<String>
  ) throws(DataError) -> [String] {
    // Links can lead back up; each folder counts once.
    let place = URL(fileURLWithPath: root + "/" + name).resolvingSymlinksInPath().path
    guard depth < 8, seen.insert(place).inserted else { return [] }
    let folder = try Folder(path: root + "/" + name)
    var files = folder.files.filter { isImage($0) }.map { name + "/" + $0 }
    for inner in folder.folders {
      files += try images(under: name + "/" + inner, in: root, depth: depth + 1, &seen)
    }
    return files
  }
}

/// Image files, relative to a folder, and their labels.
struct LabelledFiles {
  var files: [String] = []
  var labels: [Int]?
  var classNames: [String]?
  var notes: [String] = []

  /// Those whose path starts with `prefix`.
  func under(_ prefix: String) -> LabelledFiles {
    let chosen = files.indices.filter { files[$0].hasPrefix(prefix) }
    return LabelledFiles(
      files: chosen.map { files[$0] }, labels: labels.map { labels in chosen.map { labels[$0] } },
      classNames: classNames, notes: notes)
  }
}
