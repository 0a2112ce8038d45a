// SPDX-License-Identifier: Apache-2.0

/// What a figure says about the result; shown as colour where there is any, always besides words.
package enum Tone: Sendable, Equatable {
  case plain, strong, faint, good, bad
}

/// Rows of text in columns without rules, fitted to a width.
///
/// Names that are too long lose their middle (`/stage3/…/Conv`), words wrap. Text from files is
/// made harmless before it is laid out.
package struct Table: Sendable, Equatable {
  /// What a column does when the table is too wide.
  package enum Fit: Sendable, Equatable {
    /// Keeps its text whole as long as other columns can give way.
    case keep
    /// Loses the middle of its text.
    case truncate
    /// Breaks its text over several lines.
    case wrap
  }

  /// A column's heading and how its cells are set.
  package struct Column: Sendable, Equatable {
    package var title: String
    package var alignment: Alignment
    package var unit: String
    package var fit: Fit

    /// - Parameters:
    ///   - title: The heading; empty for none.
    ///   - alignment: `.right` for figures.
    ///   - unit: Written after each cell that is not empty.
    ///   - fit: By default, left columns truncate and right ones keep.
    package init(
      _ title: String, alignment: Alignment = .left, unit: String = "", fit: Fit? = nil
    ) {
      self.title = title
      self.alignment = alignment
      self.unit = unit
      self.fit = fit ?? (alignment == .left ? .truncate : .keep)
    }
  }

  /// One text of a row.
  package struct Cell: Sendable, Equatable, ExpressibleByStringInterpolation {
    package var text: String
    package var tone: Tone

    package init(_ text: String, tone: Tone = .plain) {
      self.text = text
      self.tone = tone
    }

    package init(stringLiteral value: String) { self.init(value) }
  }

  package var columns: [Column]
  package var rows: [[Cell]]
  /// Spaces before each row; the heading line starts at the margin.
  package var indent: Int
  /// Lines below the rows, set faint.
  package var notes: [String]

  package init(
    columns: [Column], rows: [[Cell]] = [], indent: Int = 0, notes: [String] = []
  ) {
    self.columns = columns
    self.rows = rows
    self.indent = indent
    self.notes = notes
  }

  /// Adds a row; missing cells at its end are empty, surplus ones are left out.
  package mutating func add(_ cells: Cell...) { rows.append(cells) }

  /// The table as lines without trailing space.
  ///
  /// - Parameters:
  ///   - width: Columns that a line may take.
  ///   - hasColour: Whether tones become ANSI colours.
  package func lines(width: Int = 100, hasColour: Bool = false) -> [String] {
    let paint = Paint(isOn: hasColour)
    let texts = rows.map { row in
      columns.indices.map { index in
        let text = index < row.count ? row[index].text.printable : ""
        let unit = columns[index].unit
        return text.isEmpty || unit.isEmpty ? text : text + " " + unit
      }
    }
    let widths = fittedWidths(texts, width: width)
    var result: [String] = []
    if columns.contains(where: { !$0.title.isEmpty }) {
      let titles = columns.indices.map { index in
        let hanging = index == 0 ? indent : 0
        return set(columns[index].title, at: index, widths[index] + hanging)
      }
      result.append(joined(titles, paint: paint, tones: titles.map { _ in .strong }))
    }
    let margin = String(repeating: " ", count: indent)
    for (row, cells) in zip(rows, texts) {
      let blocks = columns.indices.map { index in
        columns[index].fit == .wrap
          ? cells[index].wrapped(to: max(2, widths[index])) : [cells[index]]
      }
      for line in 0..<(blocks.map(\.count).max() ?? 0) {
        let pieces = columns.indices.map { index in
          let block = blocks[index]
          return set(line < block.count ? block[line] : "", at: index, widths[index])
        }
        let tones = columns.indices.map { $0 < row.count ? row[$0].tone : .plain }
        result.append(joined([margin] + pieces, paint: paint, tones: [.plain] + tones))
      }
    }
    for note in notes {
      let lines = note.printable.wrapped(to: max(2, width - indent))
      result += lines.map { margin + paint($0, .faint) }
    }
    return result
  }

  private func set(_ text: String, at index: Int, _ width: Int) -> String {
    let fitted =
      columns[index].fit == .wrap
      ? text.truncatedAtEnd(to: width) : text.truncatedInMiddle(to: width)
    return fitted.padded(to: width, alignment: columns[index].alignment)
  }

  private func joined(_ pieces: [String], paint: Paint, tones: [Tone]) -> String {
    let hasMargin = pieces.count > columns.count
    let last = pieces.lastIndex { !$0.allSatisfy { $0 == " " } } ?? -1
    var line = ""
    for (index, piece) in pieces.enumerated() where index <= last {
      if index > (hasMargin ? 1 : 0) { line += Self.gap }
      let text = index == last ? piece.withoutTrailingSpace : piece
      line += tones[index] == .plain ? text : paint.inner(text, tones[index])
    }
    return line
  }

  private static let gap = "   "

  /// Natural widths, then as much taken from the widest columns that give way as is missing.
  private func fittedWidths(_ texts: [[String]], width: Int) -> [Int] {
    var widths = columns.indices.map { index in
      let title = columns[index].title.displayWidth - (index == 0 ? indent : 0)
      return texts.map { $0[index].displayWidth }.reduce(max(0, title), max)
    }
    let available = width - indent - Self.gap.count * max(0, columns.count - 1)
    for (yielding, floor) in [([Fit.wrap], 24), ([.truncate], 16), ([.wrap, .truncate], 8)] {
      shrink(&widths, to: available, columns: yielding, floor: floor)
    }
    shrink(&widths, to: available, columns: [.keep, .wrap, .truncate], floor: 3)
    return widths
  }

  private func shrink(_ widths: inout [Int], to available: Int, columns kinds: [Fit], floor: Int) {
    var excess = widths.reduce(0, +) - available
    while excess > 0 {
      let candidates = columns.indices.filter {
        kinds.contains(columns[$0].fit) && widths[$0] > floor
      }
      guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { return }
      widths[widest] -= 1
      excess -= 1
    }
  }
}

extension String {
  fileprivate var withoutTrailingSpace: String {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}
