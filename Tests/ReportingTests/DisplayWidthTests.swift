// SPDX-License-Identifier: Apache-2.0

import Reporting
import Testing

@Suite("Text is measured by what a terminal shows")
struct DisplayWidthTests {
  @Test(
    "Wide glyphs take two columns, combining marks none",
    arguments: [
      ("conv1", 5), ("N×3×32×32", 9), ("畳み込み", 8), ("e\u{301}", 1), ("𝛼", 1), ("🙂", 2),
      ("👩‍👩‍👧", 2), ("", 0), ("…", 1), ("█░", 2),
    ])
  func width(_ text: String, _ columns: Int) { #expect(text.displayWidth == columns) }

  @Test("Truncation keeps both ends and never exceeds the width")
  func truncation() {
    #expect("/stage3/block2/conv1/Conv".truncatedInMiddle(to: 11) == "/stag…/Conv")
    #expect("short".truncatedInMiddle(to: 5) == "short")
    #expect("abc".truncatedInMiddle(to: 1) == "…")
    #expect("abc".truncatedInMiddle(to: 0) == "")
    #expect("abcdef".truncatedAtEnd(to: 4) == "abc…")
  }

  @Test("Truncating wide glyphs stays within every width", arguments: 0...16)
  func wideTruncation(_ width: Int) {
    let name = "層畳み込み/重み/量子化"
    #expect(name.truncatedInMiddle(to: width).displayWidth <= width)
    #expect(name.truncatedAtEnd(to: width).displayWidth <= width)
  }

  @Test("Control characters and bidirectional overrides in names are made harmless")
  func hostileNames() {
    #expect("a\u{1b}[31mb".printable == "a\\u{1b}[31mb")
    #expect("x\u{202e}y".printable == "x\\u{202e}y")
    #expect("two\nlines\t!".printable == "two lines !")
    #expect("Größe 層".printable == "Größe 層")
  }

  @Test("Words wrap at spaces and long words are cut")
  func wrapping() {
    #expect("one two three".wrapped(to: 8) == ["one two", "three"])
    #expect("abcdefghij kl".wrapped(to: 4) == ["abcd", "efgh", "ij", "kl"])
    #expect("".wrapped(to: 4) == [""])
  }
}
