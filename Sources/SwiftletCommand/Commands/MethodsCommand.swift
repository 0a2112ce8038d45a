// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
package import Reporting
import Swiftlet

/// The command `swiftlet methods`.
package struct MethodsCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "methods",
    abstract: "Lists every method, what it shrinks, and its paper.",
    usage: """
      swiftlet methods
      swiftlet methods lsq
      swiftlet methods --json
      swiftlet methods --pages Documentation/methods --figures Documentation/results/methods.csv
      """,
    discussion: """
      With a name, its options and their defaults. With --pages, a page in Markdown for each.
      """)

  @Argument(help: ArgumentHelp("A method of the list.", valueName: "name"))
  package var name: String?

  @Option(help: ArgumentHelp("Write a page for each method.", valueName: "dir"))
  package var pages: String?

  @Option(
    help: ArgumentHelp(
      "What was measured, for the pages: lines of " + MethodFigures.columns.joined(separator: ","),
      valueName: "file.csv"))
  package var figures: String?

  @OptionGroup package var common: CommonOptions

  package init() {}

  package func validate() throws {
    if let name, pages != nil {
      throw ValidationError("--pages writes the pages of all methods, not only \(name)")
    }
    if let figures, pages == nil {
      throw ValidationError("--figures \(figures): it is for --pages")
    }
  }

  package func run(on console: Console) throws {
    if let pages {
      let all = MethodPages(
        figures: try figures.map { (path) throws(CommandError) in try MethodFigures(path: path) }
          ?? MethodFigures())
      try all.write(to: pages)
      try console.say("Written", "\(all.files.count) pages in \(pages)")
      return try console.object([
        "pages": .array(all.files.map { .string("\(pages)/\($0.path)") })
      ])
    }
    guard let name else {
      for group in MethodCatalog.groups {
        try console.show(Self.table(group))
        try console.show("")
      }
      return try console.object([
        "methods": .array(
          MethodCatalog.groups.flatMap { group in group.cards.map { Self.json($0, group) } })
      ])
    }
    let found = MethodCatalog.methods(named: name)
    guard !found.isEmpty else {
      let names = MethodCatalog.groups.flatMap(\.cards).map(\.name).joined(separator: ", ")
      throw CommandError("\(name): no such method (there are \(names))", status: .wrongUsage)
    }
    for (group, card) in found { try show(card, group, on: console) }
    try console.object(["methods": .array(found.map { Self.json($1, $0) })])
  }

  private static func table(_ group: MethodGroup) -> Table {
    var table = Table(columns: [
      Table.Column(group.family, fit: .keep), Table.Column("shrinks", fit: .wrap),
      Table.Column("faster", fit: .wrap), Table.Column("paper", fit: .wrap),
    ])
    for card in group.cards {
      table.add(
        Table.Cell(card.name), Table.Cell(card.shrinks), Table.Cell(card.speedsUp),
        Table.Cell(card.paper))
    }
    table.notes = ["chosen by \(group.chosenBy)"]
    return table
  }

  private func show(_ card: MethodCard, _ group: MethodGroup, on console: Console) throws {
    for (label, text) in [
      (card.name, card.summary), ("Family", "\(group.family), chosen by \(group.chosenBy)"),
      ("Paper", card.paper), ("Shrinks", card.shrinks), ("Faster", card.speedsUp),
    ] { try console.showLabelled(label, text) }
    guard !card.options.isEmpty else { return }
    var table = Table(columns: [
      Table.Column("option", fit: .keep), Table.Column("default", fit: .keep),
      Table.Column("accepted", fit: .wrap), Table.Column("", fit: .wrap),
    ])
    for option in card.options {
      table.add(
        Table.Cell(option.name), Table.Cell(option.standard), Table.Cell(option.accepted),
        Table.Cell(option.summary))
    }
    try console.show("")
    try console.show(table)
  }

  private static func json(_ card: MethodCard, _ group: MethodGroup) -> JSONValue {
    [
      "name": .string(card.name), "family": .string(group.family),
      "chosen_by": .string(group.chosenBy), "summary": .string(card.summary),
      "paper": .string(card.paper), "shrinks": .string(card.shrinks),
      "faster": .string(card.speedsUp),
      "options": .array(
        card.options.map { option in
          [
            "name": .string(option.name), "default": .string(option.standard),
            "accepted": .string(option.accepted), "summary": .string(option.summary),
          ]
        }),
    ]
  }
}
