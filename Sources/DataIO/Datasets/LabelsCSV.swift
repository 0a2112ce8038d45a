// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The file `labels.csv` of an image folder: lines of file and label, perhaps after a header.
///
/// Labels are class indices, or class names, which are numbered in the order of their bytes.
enum LabelsCSV {
  /// Bytes that a list of files may have: a line for each of a million and more.
  private static let greatestSize = 1 << 27

  static func read(in folder: Folder) throws(DataError) -> LabelledFiles {
    let path = folder.path + "/labels.csv"
    let file = try RandomAccessFile(path: path)
    guard file.size <= greatestSize else {
      throw .malformed(path: path, format: .labelsCSV, defect: "\(file.size) bytes are too many")
    }
    let text = String(decoding: try file.contents(), as: UTF8.self)
    var files: [String] = []
    var words: [(text: String, line: Int)] = []
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false).map { unquoted($0) }
      if fields == [""] { continue }
      guard fields.count >= 2, !fields[0].isEmpty, !fields[1].isEmpty else {
        throw .invalidLabel(path: path, line: number + 1, text: String(line.prefix(200)))
      }
      if files.isEmpty, !ImageFolderSource.isImage(fields[0]) { continue }
      files.append(fields[0])
      words.append((fields[1], number + 1))
    }
    for file in files where !FileManager.default.fileExists(atPath: folder.path + "/" + file) {
      throw .missing(path: folder.path + "/" + file)
    }
    let indices = words.compactMap { Int($0.text) }
    if indices.count == words.count { return LabelledFiles(files: files, labels: indices) }
    if let number = words.first(where: { Int($0.text) != nil }) {
      throw .invalidLabel(
        path: path, line: number.line, text: "\(number.text), among labels that are names")
    }
    let names = Set(words.map(\.text)).sorted(by: ImageFolderSource.precedes)
    let positions = Dictionary(uniqueKeysWithValues: zip(names, names.indices))
    return LabelledFiles(
      files: files, labels: words.compactMap { positions[$0.text] }, classNames: names)
  }

  private static func unquoted(_ field: Substring) -> String {
    var text = field.trimmingCharacters(in: .whitespaces)
    if text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") {
      text = String(text.dropFirst().dropLast())
    }
    return text
  }
}
