// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A table of comma-separated values that grows line by line.
///
/// Source: RFC 4180, with line feeds alone at the ends of lines.
///
/// A class because it owns an open file. Each line is written to the file at once.
package final class CSVLog {
  package let path: String
  package let columns: [String]
  private let file: FileHandle

  /// Starts the file with the names of the columns.
  ///
  /// - Parameters:
  ///   - path: A file that is there already is replaced, unless lines of it are kept.
  ///   - keeping: Whether a line of the file that is there already, by column, stays. Lines behind
  ///     the first that does not stay go as well. `nil` keeps none.
  /// - Throws: `ReportingError.cannotWriteFile` naming the file, also if lines are to be kept and
  ///   its columns are others.
  package init(
    path: String, columns: [String], keeping: (([String: String]) -> Bool)? = nil
  ) throws(ReportingError) {
    self.path = path
    self.columns = columns
    let header = Self.line(columns)
    var text = header
    if let keeping, let old = try? String(contentsOfFile: path, encoding: .utf8), !old.isEmpty {
      guard old.hasPrefix(header) else {
        let found = old.prefix { $0 != "\n" }
        throw .cannotWriteFile(
          path: path, reason: "it has other columns: \(found) (expected \(header.dropLast()))")
      }
      for line in old.dropFirst(header.count).split(separator: "\n") {
        let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        // A line cut short by a kill is dropped.
        guard fields.count == columns.count,
          keeping(Dictionary(zip(columns, fields)) { first, _ in first })
        else { break }
        text += line + "\n"
      }
    }
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
      file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      try file.seekToEnd()
    } catch {
      throw .cannotWriteFile(path: path, reason: error.localizedDescription)
    }
  }

  deinit { try? file.close() }

  /// Adds a line; a value that is `nil` leaves its field empty.
  ///
  /// - Throws: `ReportingError.cannotWriteFile`.
  package func add(_ values: [Double?]) throws(ReportingError) {
    precondition(values.count == columns.count, "a line has a value for each column")
    do {
      try file.write(contentsOf: Data(Self.line(values.map { $0.map(Self.text) ?? "" }).utf8))
    } catch {
      throw .cannotWriteFile(path: path, reason: error.localizedDescription)
    }
  }

  /// The number in the fewest digits that read back as the same.
  private static func text(_ value: Double) -> String {
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func line(_ fields: [String]) -> String {
    fields.map { field in
      field.contains { ",\"\n\r".contains($0) }
        ? "\"" + field.replacing("\"", with: "\"\"") + "\"" : field
    }.joined(separator: ",") + "\n"
  }
}
