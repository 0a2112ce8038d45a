// SPDX-License-Identifier: Apache-2.0

/// Names of classes in the text files that data sets come with.
enum ClassNames {
  /// The lines of a text file that are not empty.
  static func lines(of path: String) throws(DataError) -> [String] {
    let file = try RandomAccessFile(path: path)
    return String(decoding: try file.bytes(at: 0, count: 1 << 22), as: UTF8.self)
      .split(whereSeparator: \.isNewline).map(String.init)
  }

  /// Class names beside the data: `classes.txt` with one name a line, or `classes.tsv` whose
  /// first column is the index and whose last the name.
  static func beside(_ folder: Folder) throws(DataError) -> [String]? {
    if folder.files.contains("classes.txt") { return try lines(of: folder.path + "/classes.txt") }
    guard folder.files.contains("classes.tsv") else { return nil }
    let rows = try lines(of: folder.path + "/classes.tsv").map {
      $0.split(separator: "\t", omittingEmptySubsequences: false)
    }
    var names: [String] = []
    for row in rows {
      guard let index = Int(row[0]), let name = row.last else { continue }
      guard index == names.count else { return nil }
      names.append(String(name))
    }
    return names.isEmpty ? nil : names
  }
}
