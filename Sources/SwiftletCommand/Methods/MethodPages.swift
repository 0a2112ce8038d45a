// SPDX-License-Identifier: Apache-2.0
import DataIO
import Foundation
import Swiftlet

/// The pages of all methods in Markdown: one for each, in a folder for each command, and a list.
struct MethodPages {
  let figures: MethodFigures

  /// Paths within the folder, and what is written there.
  var files: [(path: String, text: String)] {
    var files = [("README.md", list)]
    for group in MethodCatalog.groups {
      for card in group.cards { files.append((path(card, group), page(card, group))) }
    }
    return files
  }

  /// Writes the pages into a folder, which is made where it is missing.
  ///
  /// - Throws: `CommandError` if a folder cannot be made, `DataError` if a file cannot be written.
  func write(to folder: String) throws {
    for (path, text) in files {
      let target = URL(fileURLWithPath: folder).appending(path: path)
      let parent = target.deletingLastPathComponent()
      do {
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
      } catch {
        throw CommandError(
          "\(parent.path): the folder cannot be made", reasons: [error.localizedDescription])
      }
      try AtomicFile.write(text, to: target.path)
    }
  }

  private func path(_ card: MethodCard, _ group: MethodGroup) -> String {
    "\(group.command)/\(card.name.replacing("+", with: "-plus")).md"
  }

  private static let origin =
    "Made by `swiftlet methods --pages` of what the sources say of each method."

  private var list: String {
    var lines = ["# Methods", "", Self.origin]
    for group in MethodCatalog.groups {
      lines += [
        "", "## \(group.family.prefix(1).uppercased() + group.family.dropFirst())", "",
        "Chosen by `\(group.chosenBy)`.", "",
      ]
      lines += Self.table(
        ["method", "what it does", "shrinks", "faster"],
        group.cards.map { card in
          ["[`\(card.name)`](\(path(card, group)))", card.summary, card.shrinks, card.speedsUp]
        })
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func page(_ card: MethodCard, _ group: MethodGroup) -> String {
    var lines = ["# \(card.name)", "", card.summary, ""]
    lines += Self.table(
      ["", ""],
      [
        ["family", "\(group.family), chosen by `\(group.chosenBy) \(card.name)`"],
        ["paper", card.paper], ["shrinks", card.shrinks], ["faster", card.speedsUp],
      ])
    lines += ["", "## Options", ""]
    if card.options.isEmpty {
      lines.append("None.")
    } else {
      lines += Self.table(
        ["option", "default", "accepted", "what it does"],
        card.options.map { ["`\($0.name)`", "`\($0.standard)`", $0.accepted, $0.summary] })
    }
    lines += ["", "## Measured", ""]
    let rows = figures.rows(of: card, in: group)
    if rows.isEmpty {
      lines.append("No figures yet.")
    } else {
      let reference = group.command == "distill" ? "the student alone" : "the float network"
      lines += ["Top-1 in percent; *without* is \(reference).", ""]
      lines += Self.table(
        Array(MethodFigures.columns.dropFirst(2)),
        rows.map { row in
          row.dropLast() + row.suffix(1).map { "[\($0)](../../results/\($0))" }
        })
    }
    lines += ["", "---", "", Self.origin]
    return lines.joined(separator: "\n") + "\n"
  }

  private static func table(_ headings: [String], _ rows: [[String]]) -> [String] {
    func line(_ cells: [String]) -> String {
      "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }
    return [line(headings), line(headings.map { _ in "---" })] + rows.map(line)
  }
}
