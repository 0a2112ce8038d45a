// SPDX-License-Identifier: Apache-2.0

/// Latency by layer as the template reads it: two stacked bars, their legend, and the slowest
/// layers side by side.
struct LatencyView: Sendable {
  private static let shownLayers = 12

  let stacks: [PageView.StackRow]
  let groups: [PageView.Group]
  let slowest: [PageView.BarRow]
  let others: [PageView.BarRow]

  init(_ layers: [HTMLReport.LayerLatency]) {
    let chart = Self.chart(layers)
    stacks = chart.rows.indices.map { index in
      PageView.StackRow(
        label: Markup(chart.rows[index].label),
        picture: chart.bar(row: index, format: Format.milliseconds),
        total: Markup(Format.milliseconds(chart.rows[index].total)))
    }
    groups = chart.groups.enumerated().map { index, name in
      let totals = chart.totals(of: name)
      let isCompared = totals.count == 2 && totals.allSatisfy { $0 > 0 }
      return PageView.Group(
        colour: Markup("c\(index % Palette.count)"), name: Markup(name),
        before: Markup(chart.rows.first?.label == "before" ? Self.text(totals[0]) : ""),
        after: Markup(chart.rows.last?.label == "after" ? Self.text(totals.last) : ""),
        change: Markup(
          isCompared
            ? Format.ratio(before: totals[0], after: totals[1], less: "faster", more: "slower")
            : ""))
    }
    let ranked = layers.enumerated().sorted { a, b in
      let (first, second) = (Self.weight(a.element), Self.weight(b.element))
      return first != second ? first > second : a.offset < b.offset
    }
    let rows = PageView.rows(
      BarChart(title: "Latency by layer", rows: ranked.map { Self.row($0.element) }))
    let count = rows.count <= Self.shownLayers + 3 ? rows.count : Self.shownLayers
    slowest = Array(rows.prefix(count))
    others = Array(rows.dropFirst(count))
  }

  private static func chart(_ layers: [HTMLReport.LayerLatency]) -> StackedBars {
    func segments(_ value: KeyPath<HTMLReport.LayerLatency, Double?>) -> [StackedBars.Segment] {
      layers.compactMap { layer in
        layer[keyPath: value].flatMap { $0.isFinite ? $0 : nil }.map {
          StackedBars.Segment(name: layer.name, group: layer.kind, value: $0)
        }
      }
    }
    let rows = [
      StackedBars.Row(label: "before", segments: segments(\.before)),
      StackedBars.Row(label: "after", segments: segments(\.after)),
    ]
    return StackedBars(title: "Latency by layer", rows: rows.filter { !$0.segments.isEmpty })
  }

  private static func text(_ value: Double?) -> String {
    value.map { $0 > 0 ? Format.milliseconds($0) : Format.missing } ?? ""
  }

  private static func weight(_ layer: HTMLReport.LayerLatency) -> Double {
    let values = [layer.before, layer.after].compactMap { $0 }.filter(\.isFinite)
    return values.max() ?? 0
  }

  private static func row(_ layer: HTMLReport.LayerLatency) -> BarChart.Row {
    let bars = [(layer.before, false), (layer.after, true)].compactMap { value, isAfter in
      value.map { BarChart.Bar(value: $0, text: Format.milliseconds($0), isAfter: isAfter) }
    }
    let change =
      layer.before.flatMap { before in
        layer.after.map {
          Format.ratio(before: before, after: $0, less: "faster", more: "slower")
        }
      } ?? ""
    return BarChart.Row(
      label: layer.name, bars: bars, conclusion: change == Format.missing ? "" : change,
      note: layer.kind)
  }
}
