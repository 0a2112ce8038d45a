// SPDX-License-Identifier: Apache-2.0

/// Totals divided into their parts, one bar each on a common scale: latency by layer, before and
/// after.
package struct StackedBars: Sendable, Equatable {
  /// One part of a total, such as a layer.
  package struct Segment: Sendable, Equatable {
    package var name: String
    /// What kind it is of; parts of one group have one colour and one line in the legend.
    package var group: String
    package var value: Double

    package init(name: String, group: String, value: Double) {
      self.name = name
      self.group = group
      self.value = value
    }
  }

  /// One total.
  package struct Row: Sendable, Equatable {
    package var label: String
    package var segments: [Segment]

    package init(label: String, segments: [Segment]) {
      self.label = label
      self.segments = segments
    }

    package var total: Double { segments.map(\.value).reduce(0, +) }
  }

  package var title: String
  package var rows: [Row]

  package init(title: String, rows: [Row]) {
    self.title = title
    self.rows = rows
  }

  /// The groups, those with the most in the first row first; equal ones by name.
  package var groups: [String] {
    var totals: [String: [Double]] = [:]
    for (index, row) in rows.enumerated() {
      for segment in row.segments {
        totals[segment.group, default: Array(repeating: 0, count: rows.count)][index] +=
          segment.value
      }
    }
    return totals.sorted { a, b in
      let order = zip(a.value, b.value).first { $0 != $1 }
      return order.map { $0 > $1 } ?? (a.key < b.key)
    }.map(\.key)
  }

  /// What each row has of `group`.
  package func totals(of group: String) -> [Double] {
    rows.map { row in row.segments.filter { $0.group == group }.map(\.value).reduce(0, +) }
  }

  /// Start and length of each segment as shares of the longest row, row by row; segments are
  /// drawn in the order they run.
  package var extents: [[(start: Double, length: Double)]] {
    let full = rows.map(\.total).max() ?? 0
    return rows.map { row in
      var start = 0.0
      return row.segments.map { segment in
        let length = full > 0 ? max(0, segment.value) / full : 0
        defer { start += length }
        return (start, length)
      }
    }
  }

  /// One row's bar as SVG, with the name and value of each segment as tooltip.
  func bar(row index: Int, format: (Double) -> String) -> Markup {
    let groups = groups
    let parts = zip(rows[index].segments, extents[index]).map { segment, extent in
      let colour = groups.firstIndex(of: segment.group) ?? 0
      return Markup.element(
        "rect",
        [
          "x": Drawing.number(extent.start * 100) + "%",
          "width": Drawing.number(extent.length * 100) + "%", "height": "30",
          "class": "segment c\(colour % Palette.count)",
        ],
        .element(
          "title", [:], Markup("\(segment.name) (\(segment.group)): \(format(segment.value))")))
    }
    return .element(
      "svg",
      [
        "class": "stack", "width": "100%", "height": "30", "role": "img",
        "aria-label": "\(title): \(rows[index].label), \(format(rows[index].total))",
      ], parts.isEmpty ? .element("g", [:]) : parts.joined())
  }
}
