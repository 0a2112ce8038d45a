// SPDX-License-Identifier: Apache-2.0

extension Dataset {
  /// Opens the data set at `path`, its format detected by what is there.
  ///
  /// Accepted are a folder with CIFAR-10 or CIFAR-100 binary batches; a folder with IDX files,
  /// plain or `.gz`; a folder of JPEG and PNG images, in class subfolders, listed in `labels.csv`,
  /// named by class index (`0012.jpg`, `12_name.jpg`) or unlabelled, perhaps under `train/` and
  /// `test/` or `val/`; an `.npz` with `x` and optionally `y`; or one batch or IDX image file.
  ///
  /// - Parameters:
  ///   - path: A folder or a file.
  ///   - split: The part wanted; a set without splits gives all of it, whatever is asked.
  /// - Throws: `DataError.noDataFound` saying what was looked for and found,
  ///   `DataError.splitMissing` if the set has splits but not this one, or what is wrong with a
  ///   file.
  public static func open(
    _ path: String, split: DatasetSplit = .all
  ) throws(DataError) -> Dataset {
    if !Folder.isFolder(path) { return try openFile(path) }
    var folder = try Folder(path: path)
    let top = folder
    // Unpacked archives often hold the set a folder or two further down.
    for _ in 0..<3 {
      if let set = try openFolder(folder, split: split) { return set }
      guard folder.folders.count == 1 else { break }
      folder = try Folder(path: folder.path + "/" + folder.folders[0])
    }
    throw .noDataFound(path: path, found: top.names)
  }

  private static func openFolder(
    _ folder: Folder, split: DatasetSplit
  ) throws(DataError) -> Dataset? {
    if let opened = try CIFARSource.open(folder, split: split) {
      return Dataset(path: folder.path, kind: .cifar, opened: opened)
    }
    if let opened = try IDXSource.open(folder, split: split) {
      return Dataset(path: folder.path, kind: .idx, opened: opened)
    }
    if let opened = try ImageFolderSource.open(folder, split: split) {
      return Dataset(path: folder.path, kind: .images, opened: opened)
    }
    let archives = folder.files.filter { $0.lowercased().hasSuffix(".npz") }
    return archives.count == 1 ? try openFile(folder.path + "/" + archives[0]) : nil
  }

  private static func openFile(_ path: String) throws(DataError) -> Dataset {
    let file = try RandomAccessFile(path: path)
    let start = try file.bytes(at: 0, count: 4)
    if start.starts(with: [0x50, 0x4b]) {
      return Dataset(path: path, kind: .npz, opened: try NpzSource.open(path))
    }
    if IDXFile.isImages(path) {
      return Dataset(path: path, kind: .idx, opened: try IDXSource.open(imageFile: path))
    }
    if path.hasSuffix(".bin") {
      return Dataset(path: path, kind: .cifar, opened: try CIFARSource.open(file: file))
    }
    throw .noDataFound(path: path, found: ["the file \(Folder.fileName(path))"])
  }
}
