// SPDX-License-Identifier: Apache-2.0

import Reporting
import Testing

@Suite("Tables are columns without rules, fitted to their width")
struct TableTests {
  @Test("A worked case: figures right, units in the row, no trailing space")
  func worked() {
    var table = Table(
      columns: [
        Table.Column("Where it hurt"), Table.Column("SQNR", alignment: .right, unit: "dB"),
        Table.Column("why", fit: .wrap),
      ], indent: 2, notes: ["17 more above 30 dB"])
    table.add("conv1", "8", "one channel is wide")
    table.add("fc", "31", "")
    #expect(
      table.lines() == [
        "Where it hurt    SQNR   why",
        "  conv1          8 dB   one channel is wide",
        "  fc            31 dB",
        "  17 more above 30 dB",
      ])
  }

  @Test("No line exceeds the width, whatever the names", arguments: [40, 60, 80, 100])
  func fits(_ width: Int) {
    let name = String(repeating: "/features/畳み込み", count: 12)
    var table = Table(
      columns: [
        Table.Column("Layer"), Table.Column("bytes", alignment: .right),
        Table.Column("cause", fit: .wrap),
      ], indent: 2)
    table.add(.init(name), "1.11 MB", .init(String(repeating: "one scale covers much ", count: 9)))
    let lines = table.lines(width: width)
    #expect(lines.allSatisfy { $0.displayWidth <= width })
    #expect(lines[1].contains("…"))
    #expect(lines[1].contains("1.11 MB"))
  }

  @Test("Colour surrounds the words only, and the words are the same without it")
  func colour() {
    let table = Table(
      columns: [Table.Column("", alignment: .left), Table.Column("after", alignment: .right)],
      rows: [["Top-1", Table.Cell("0.10 %", tone: .bad)]])
    let coloured = table.lines(hasColour: true)
    #expect(coloured[1] == "Top-1   \u{1b}[31m0.10 %\u{1b}[0m")
    let bare = coloured.map { line in
      line.replacing(/\u{1b}\[[0-9]+m/, with: "")
    }
    #expect(bare == table.lines())
  }

  @Test("Hostile names cannot act on the terminal")
  func hostile() {
    var table = Table(columns: [Table.Column("Layer")])
    table.add("conv\u{1b}]0;owned\u{7}")
    #expect(!table.lines().joined().unicodeScalars.contains { $0.value < 0x20 })
  }

  @Test("Short rows and empty tables are fine")
  func ragged() {
    #expect(Table(columns: []).lines() == [])
    #expect(
      Table(columns: [Table.Column("a"), Table.Column("b")], rows: [["x"]]).lines().count == 2)
  }
}
