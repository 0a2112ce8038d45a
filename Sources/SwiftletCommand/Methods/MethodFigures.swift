// SPDX-License-Identifier: Apache-2.0
import Foundation
import Swiftlet

/// Figures of methods that were measured: a file with a line of `columns` and a line for each
/// figure, with commas between.
struct MethodFigures {
  /// `command` is that which chooses the method, such as `qat`; `without` and `with` are top-1 in
  /// percent, `from` is the file beside this one that says how they were measured.
  static let columns = [
    "command", "method", "network", "samples", "setting", "without", "with", "from",
  ]

  /// What a line says, by column.
  private let rows: [[String: String]]

  /// None.
  init() { rows = [] }

  /// - Throws: `CommandError` naming the file and the line that is wrong.
  init(path: String) throws(CommandError) {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw CommandError("\(path): the figures cannot be read")
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    guard lines.first == Self.columns else {
      throw CommandError(
        "\(path):1: other columns than expected",
        reasons: ["accepted: " + Self.columns.joined(separator: ",")])
    }
    var rows: [[String: String]] = []
    for (number, fields) in lines.enumerated().dropFirst() where fields != [""] {
      let place = "\(path):\(number + 1)"
      guard fields.count == Self.columns.count else {
        throw CommandError(
          "\(place): \(fields.count) fields", reasons: ["accepted: \(Self.columns.count)"])
      }
      let row = Dictionary(zip(Self.columns, fields), uniquingKeysWith: { first, _ in first })
      guard
        MethodCatalog.groups.contains(where: { group in
          group.command == row["command"] && group.cards.contains { $0.name == row["method"] }
        })
      else {
        throw CommandError("\(place): no method \(fields[1]) of swiftlet \(fields[0])")
      }
      guard [row["without"], row["with"]].allSatisfy({ $0.flatMap(Double.init) != nil }) else {
        throw CommandError("\(place): \(fields[5]) and \(fields[6]) are no two numbers")
      }
      rows.append(row)
    }
    self.rows = rows
  }

  /// The figures of a method, in the order of the file: the columns from `network` on.
  func rows(of card: MethodCard, in group: MethodGroup) -> [[String]] {
    rows.filter { $0["command"] == group.command && $0["method"] == card.name }
      .map { row in Self.columns.dropFirst(2).map { row[$0] ?? "" } }
  }
}

extension MethodGroup {
  /// The command that chooses its methods: `qat` of `swiftlet qat --quantizer`.
  var command: String { chosenBy.split(separator: " ").dropFirst().first.map(String.init) ?? "" }
}
