// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Reading and writing of NumPy's `.npz` archives: zip files of `.npy` arrays.
public enum NpzFile {
  /// Names of the arrays in the archive at `path`, in the archive's order.
  ///
  /// - Throws: `DataError` if the file cannot be read or is not a zip file.
  public static func names(_ path: String) throws(DataError) -> [String] {
    try ZipArchive(path: path).entries.compactMap { arrayName($0) }
  }

  /// All arrays of the archive at `path` by name.
  ///
  /// - Throws: `DataError` if the archive or an array in it is damaged or unsupported.
  public static func read(_ path: String) throws(DataError) -> [String: Tensor] {
    let archive = try ZipArchive(path: path)
    var tensors: [String: Tensor] = [:]
    for entry in archive.entries {
      guard let name = arrayName(entry) else { continue }
      tensors[name] = try NpyFile.decode(
        archive.contents(of: entry), path: "\(path)(\(entry.name))")
    }
    return tensors
  }

  /// The array `name` of the archive at `path`.
  ///
  /// - Throws: `DataError.arrayMissing`, or what `read(_:)` throws.
  public static func read(_ name: String, from path: String) throws(DataError) -> Tensor {
    let archive = try ZipArchive(path: path)
    let entry = try self.entry(name, in: archive)
    return try NpyFile.decode(archive.contents(of: entry), path: "\(path)(\(entry.name))")
  }

  /// Writes the arrays in the given order, uncompressed; the same arrays give the same bytes.
  ///
  /// Types that NumPy lacks are written as `NpyFile.write(_:to:)` does.
  ///
  /// - Throws: `DataError.unwritable`; nothing half-written is left.
  public static func write(
    _ arrays: [(name: String, tensor: Tensor)], to path: String
  ) throws(DataError) {
    var writer = ZipWriter()
    for array in arrays {
      writer.append(name: array.name + ".npy", contents: NpyFile.encode(array.tensor))
    }
    try AtomicFile.write(pieces: writer.finished(), to: path)
  }

  static func entry(_ name: String, in archive: ZipArchive) throws(DataError) -> ZipArchive.Entry {
    guard let entry = archive.entries.first(where: { arrayName($0) == name }) else {
      throw .arrayMissing(
        path: archive.file.path, name: name, found: archive.entries.compactMap { arrayName($0) })
    }
    return entry
  }

  private static func arrayName(_ entry: ZipArchive.Entry) -> String? {
    entry.name.hasSuffix(".npy") ? String(entry.name.dropLast(4)) : nil
  }
}
