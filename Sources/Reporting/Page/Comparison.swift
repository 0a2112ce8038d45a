// SPDX-License-Identifier: Apache-2.0

/// One property of a network before and after compression.
///
/// The table on the terminal and the bars of the page are made from the same measures. What was
/// not measured is nil, and not printed.
package struct Measure: Sendable, Equatable {
  /// What is measured, which decides how it is written and compared.
  package enum Quantity: Sendable, Equatable {
    /// Bytes of a file; the change is `3.6× smaller`.
    case fileSize
    /// Bytes of memory; the change is `1.2× less`.
    case memory
    /// A number of things, such as parameters; the change is `1.2× fewer`.
    case count
    /// A fraction of one, higher is better; the change is in points, `−0.12 points`.
    case accuracy
    /// A fraction of one without better or worse; no change is told.
    case share
    /// Milliseconds; the change is `3.6× faster`.
    case latency
    /// Decibels; no change is told.
    case ratio
  }

  package var name: String
  package var quantity: Quantity
  package var before: Double?
  package var after: Double?
  /// What one must know beside it: `10,000 test images`, `±3 %, 2 threads`.
  package var note: String

  package init(
    _ name: String, _ quantity: Quantity, before: Double?, after: Double?, note: String = ""
  ) {
    self.name = name
    self.quantity = quantity
    self.before = before
    self.after = after
    self.note = note
  }

  package var beforeText: String { text(before) }
  package var afterText: String { text(after) }

  /// The change in words; empty if it was not measured or has none.
  package var change: String {
    guard let before, let after, before.isFinite, after.isFinite else { return "" }
    func ratio(_ less: String, _ more: String) -> String {
      let text = Format.ratio(before: before, after: after, less: less, more: more)
      return text == Format.missing ? "" : text
    }
    switch quantity {
    case .fileSize: return ratio("smaller", "larger")
    case .memory: return ratio("less", "more")
    case .count: return ratio("fewer", "more")
    case .latency: return ratio("faster", "slower")
    case .accuracy: return Format.points(after - before) + " points"
    case .share, .ratio: return ""
    }
  }

  /// Good for what got smaller or faster, bad for the contrary and for a point of accuracy lost.
  package var tone: Tone {
    guard let before, let after, !change.isEmpty, change != "same" else { return .plain }
    switch quantity {
    case .accuracy: return after - before <= -0.01 ? .bad : .plain
    case .share, .ratio: return .plain
    default: return after < before ? .good : .bad
    }
  }

  /// Whether the value is a part of one, so that its bar shows the part.
  var isFraction: Bool { quantity == .accuracy || quantity == .share }

  private func text(_ value: Double?) -> String {
    guard let value, value.isFinite || quantity == .ratio else { return "" }
    switch quantity {
    case .fileSize, .memory: return Format.bytes(Self.whole(value))
    case .count: return Format.count(Self.whole(value))
    case .accuracy: return Format.percent(value)
    case .share: return Format.share(value)
    case .latency: return Format.milliseconds(value)
    case .ratio: return Format.decibels(value)
    }
  }

  private static func whole(_ value: Double) -> Int {
    Int(exactly: value.rounded()) ?? (value < 0 ? .min : .max)
  }
}

/// The measures of a network before and after, in the order they are shown.
package struct Comparison: Sendable, Equatable {
  package var measures: [Measure]

  package init(_ measures: [Measure]) { self.measures = measures }

  private var shown: [Measure] { measures.filter { $0.before != nil || $0.after != nil } }

  /// The table that ends a run: name, before, after, change, note.
  package var table: Table {
    Table(
      columns: [
        Table.Column("", fit: .keep), Table.Column("before", alignment: .right),
        Table.Column("after", alignment: .right), Table.Column(""),
        Table.Column("", fit: .wrap),
      ],
      rows: shown.map { measure in
        [
          Table.Cell(measure.name, tone: .strong), Table.Cell(measure.beforeText),
          Table.Cell(measure.afterText), Table.Cell(measure.change, tone: measure.tone),
          Table.Cell(measure.note, tone: .faint),
        ]
      })
  }

  /// The bars that open the page; each row has a scale of its own.
  package var chart: BarChart {
    BarChart(
      title: "Before and after",
      rows: shown.map { measure in
        let bars = [
          measure.before.map {
            BarChart.Bar(value: $0, text: measure.beforeText, isAfter: false)
          },
          measure.after.map { BarChart.Bar(value: $0, text: measure.afterText, isAfter: true) },
        ]
        return BarChart.Row(
          label: measure.name, bars: bars.compactMap { $0 }, conclusion: measure.change,
          note: measure.note, full: measure.isFraction ? 1 : nil)
      }, hasCommonScale: false)
  }

  /// The changes in one line: `3.6× smaller, 2.1× faster, Top-1 −0.04 points`.
  ///
  /// The first measure each of size, latency and accuracy is told.
  package var verdict: String {
    let told = [Measure.Quantity.fileSize, .latency, .accuracy].compactMap { quantity in
      measures.first { $0.quantity == quantity && !$0.change.isEmpty }
    }
    return told.map { measure in
      let isClear = measure.quantity != .accuracy && measure.change != "same"
      return isClear ? measure.change : "\(measure.name) \(measure.change)"
    }.joined(separator: ", ")
  }
}
