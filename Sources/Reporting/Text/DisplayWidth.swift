// SPDX-License-Identifier: Apache-2.0

extension Unicode.Scalar {
  /// Whether the scalar would act on a terminal or reorder a line instead of showing a glyph:
  /// control characters, line separators and bidirectional overrides.
  var isHostile: Bool {
    switch value {
    case 0x00...0x1f, 0x7f...0x9f: true
    case 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfeff: true
    case 0xfff9...0xfffb, 0xfffe, 0xffff: true
    default: false
    }
  }

  /// Whether terminals give the scalar two columns (East Asian wide and full-width forms, emoji).
  var isWide: Bool {
    switch value {
    case 0x1100...0x115f, 0x231a...0x231b, 0x2329...0x232a, 0x2e80...0x303e, 0x3041...0x33ff,
      0x3400...0x4dbf, 0x4e00...0x9fff, 0xa000...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3,
      0xf900...0xfaff, 0xfe10...0xfe19, 0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6,
      0x17000...0x18cff, 0x1b000...0x1b2ff, 0x1f200...0x1f2ff, 0x20000...0x3fffd:
      true
    default:
      properties.isEmojiPresentation
    }
  }
}

extension Character {
  /// Columns that a terminal gives the character: 0, 1 or 2.
  package var displayWidth: Int {
    guard let first = unicodeScalars.first else { return 0 }
    switch first.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: break
    }
    let isEmojiSequence = unicodeScalars.contains { $0.value == 0xfe0f }
    return first.isWide || isEmojiSequence ? 2 : 1
  }
}

extension String {
  /// Columns that a terminal gives the string; combining marks take none, wide glyphs two.
  package var displayWidth: Int {
    utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
      ? utf8.count : reduce(0) { $0 + $1.displayWidth }
  }

  /// The string as one line that cannot act on a terminal.
  ///
  /// Names inside a file are not ours: a control character or bidirectional override in one is
  /// written as `\u{1b}`. Tabs and line ends become spaces.
  package var printable: String {
    guard unicodeScalars.contains(where: \.isHostile) else { return self }
    var result = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "\t", "\n", "\r": result.append(" ")
      case _ where scalar.isHostile: result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// The string with its middle replaced by `…` so that it takes at most `width` columns.
  ///
  /// The end keeps the larger half: in names like `/stage3/block2/conv1/Conv` it tells more.
  package func truncatedInMiddle(to width: Int) -> String {
    guard displayWidth > width else { return self }
    guard width > 1 else { return width == 1 ? "…" : "" }
    let tailWidth = width / 2
    let headWidth = width - 1 - tailWidth
    return fitting(self, headWidth) + "…"
      + String(fitting(String(reversed()), tailWidth).reversed())
  }

  /// The string cut at its end with `…` so that it takes at most `width` columns.
  package func truncatedAtEnd(to width: Int) -> String {
    guard displayWidth > width else { return self }
    return width < 1 ? "" : fitting(self, width - 1) + "…"
  }

  /// The string filled with spaces to `width` columns, its text at the side of `alignment`.
  package func padded(to width: Int, alignment: Alignment = .left) -> String {
    let missing = width - displayWidth
    guard missing > 0 else { return self }
    let space = String(repeating: " ", count: missing)
    return alignment == .left ? self + space : space + self
  }

  /// The words of the string in lines of at most `width` columns.
  ///
  /// A word longer than a line is cut through; a line never begins with a space.
  package func wrapped(to width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in split(separator: " ", omittingEmptySubsequences: false).map(String.init) {
      if !line.isEmpty, line.displayWidth + 1 + word.displayWidth <= width {
        line += " " + word
        continue
      }
      if !line.isEmpty { lines.append(line) }
      line = word
      while line.displayWidth > width, width > 1 {
        let head = fitting(line, width)
        lines.append(head)
        line = String(line.dropFirst(head.count))
      }
    }
    return lines + (line.isEmpty && !lines.isEmpty ? [] : [line])
  }
}

/// The side at which text stands in its column.
package enum Alignment: Sendable, Equatable {
  case left, right
}

private func fitting(_ text: String, _ width: Int) -> String {
  var used = 0
  return String(
    text.prefix { character in
      used += character.displayWidth
      return used <= width
    })
}
