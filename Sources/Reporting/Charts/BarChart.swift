// SPDX-License-Identifier: Apache-2.0

/// Horizontal bars, each with its figure as text beside it.
///
/// Lengths are shares of the page's width, so the same markup fits a phone and a sheet of paper.
package struct BarChart: Sendable, Equatable {
  /// One bar and its words.
  package struct Bar: Sendable, Equatable {
    package var value: Double
    package var text: String
    /// Whether this is the state after compression, drawn in the accent colour.
    package var isAfter: Bool

    package init(value: Double, text: String, isAfter: Bool) {
      self.value = value
      self.text = text
      self.isAfter = isAfter
    }
  }

  /// Bars that belong together under one label.
  package struct Row: Sendable, Equatable {
    package var label: String
    package var bars: [Bar]
    /// What follows from the bars: `3.6× smaller`.
    package var conclusion: String
    package var note: String
    /// The value whose bar has the full length; nil for the longest bar.
    package var full: Double?

    package init(
      label: String, bars: [Bar], conclusion: String = "", note: String = "", full: Double? = nil
    ) {
      self.label = label
      self.bars = bars
      self.conclusion = conclusion
      self.note = note
      self.full = full
    }
  }

  package var title: String
  package var rows: [Row]
  /// Whether all rows share one scale; otherwise each row's longest bar is full.
  package var hasCommonScale: Bool

  package init(title: String, rows: [Row], hasCommonScale: Bool = true) {
    self.title = title
    self.rows = rows
    self.hasCommonScale = hasCommonScale
  }

  /// Length of each bar as a share of the full length, by row.
  package var lengths: [[Double]] {
    func largest(_ rows: [Row]) -> Double {
      rows.flatMap(\.bars).map(\.value).filter(\.isFinite).max() ?? 0
    }
    let common = largest(rows)
    return rows.map { row in
      let full = row.full ?? (hasCommonScale ? common : largest([row]))
      return row.bars.map { full > 0 && $0.value.isFinite ? min(1, max(0, $0.value) / full) : 0 }
    }
  }

  /// One bar as SVG.
  ///
  /// - Parameters:
  ///   - length: Share of the full length.
  ///   - isAfter: Whether it has the accent colour.
  ///   - hasRail: Whether the full length is shown behind it.
  static func bar(length: Double, isAfter: Bool, hasRail: Bool = false) -> Markup {
    let rail = Markup.element(
      "rect", ["width": "100%", "height": "12", "rx": "1.5", "class": "rest"])
    return .element(
      "svg", ["class": "bar", "width": "100%", "height": "12", "aria-hidden": "true"],
      (hasRail ? rail : .empty)
        + .element(
          "rect",
          [
            "width": Drawing.number(max(0.4, length * 100)) + "%", "height": "12",
            "rx": "1.5", "class": isAfter ? "after" : "before",
          ]))
  }
}
