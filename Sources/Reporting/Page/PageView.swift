// SPDX-License-Identifier: Apache-2.0

/// A report as the template reads it: markup only, by the names in the template.
///
/// Lists are empty and markup is empty where the page has no such part.
struct PageView: Sendable {
  struct Bar: Sendable {
    let picture: Markup
    let text: Markup
    let side: Markup
  }

  struct BarRow: Sendable {
    let label: Markup
    let bars: [Bar]
    let conclusion: Markup
    let tone: Markup
    let note: Markup
  }

  struct StackRow: Sendable {
    let label: Markup
    let picture: Markup
    let total: Markup
  }

  struct Group: Sendable {
    let colour: Markup
    let name: Markup
    let before: Markup
    let after: Markup
    let change: Markup
  }

  struct Layer: Sendable {
    let name: Markup
    let nameKey: Markup
    let path: Markup
    let kind: Markup
    let storage: Markup
    let signalToNoise: Markup
    let signalToNoiseKey: Markup
    let dot: Markup
    let rangeKept: Markup
    let rangeKeptKey: Markup
    let cause: Markup
    let anchor: Markup
  }

  struct Picture: Sendable {
    let title: Markup
    let figure: Markup
  }

  struct Detail: Sendable {
    let anchor: Markup
    let name: Markup
    let path: Markup
    let cause: Markup
    let suggestion: Markup
    let command: Markup
    let pictures: [Picture]
    let wide: [Picture]
  }

  struct Text: Sendable {
    let name: Markup
    let value: Markup
  }

  struct Listing: Sendable {
    let title: Markup
    let headings: [Markup]
    let rows: [ListingRow]
  }

  struct ListingRow: Sendable {
    let name: Markup
    let cells: [Markup]
  }

  let style = Markup(trusted: PageStyle.source)
  let script = Markup(trusted: PageScript.source)
  let title: Markup
  let subtitle: Markup
  let verdict: Markup
  let remarks: [Markup]
  let measures: [BarRow]
  let hasMeasures: Bool
  let listings: [Listing]
  let hasLatency: Bool
  let latencyNote: Markup
  let stacks: [StackRow]
  let groups: [Group]
  let slowest: [BarRow]
  let others: [BarRow]
  let hasOthers: Bool
  let othersTitle: Markup
  let hasDamage: Bool
  let layers: [Layer]
  let details: [Detail]
  let hasDetails: Bool
  let curves: [Picture]
  let hasCurves: Bool
  let tradeOffs: [Picture]
  let hasTradeOffs: Bool
  let recipe: [Text]
  let hasRecipe: Bool
  let facts: [Text]
  let hasFacts: Bool

  init(_ report: HTMLReport) {
    title = Markup(report.title)
    subtitle = Markup(report.subtitle)
    verdict = Markup(report.verdict ?? report.comparison.verdict)
    remarks = report.remarks.map { Markup($0) }
    measures = Self.rows(report.comparison)
    hasMeasures = !measures.isEmpty
    listings = report.listings.map { listing in
      Listing(
        title: Markup(listing.title), headings: listing.headings.map { Markup($0) },
        rows: listing.rows.map { row in
          ListingRow(
            name: Markup(name: row.first ?? ""), cells: row.dropFirst().map { Markup($0) })
        })
    }

    let latency = LatencyView(report.latency)
    hasLatency = !report.latency.isEmpty
    latencyNote = Markup(report.latencyNote)
    stacks = latency.stacks
    groups = latency.groups
    slowest = latency.slowest
    others = latency.others
    hasOthers = !latency.others.isEmpty
    othersTitle = Markup("\(latency.others.count) faster layers")

    let damage = DamageView(report.damage)
    hasDamage = !report.damage.isEmpty
    layers = damage.layers
    details = damage.details
    hasDetails = !damage.details.isEmpty

    curves = report.curves.map { Picture(title: Markup($0.title), figure: $0.figure()) }
    hasCurves = !report.curves.isEmpty
    tradeOffs = report.tradeOffs.map { Picture(title: Markup($0.title), figure: $0.figure()) }
    hasTradeOffs = !report.tradeOffs.isEmpty
    recipe = report.recipe.map { Text(name: Markup($0.title), value: Markup(lines: $0.text)) }
    hasRecipe = !report.recipe.isEmpty
    facts = report.facts.map { Text(name: Markup($0.name), value: Markup($0.value)) }
    hasFacts = !report.facts.isEmpty
  }

  static func rows(_ chart: BarChart, tones: [Tone] = []) -> [BarRow] {
    zip(chart.rows, chart.lengths).enumerated().map { index, pair in
      let (row, lengths) = pair
      return BarRow(
        label: Markup(name: row.label),
        bars: zip(row.bars, lengths).map { bar, length in
          Bar(
            picture: BarChart.bar(
              length: length, isAfter: bar.isAfter, hasRail: row.full != nil),
            text: Markup(bar.text),
            side: Markup(bar.isAfter ? "after" : "before"))
        },
        conclusion: Markup(row.conclusion),
        tone: Markup(index < tones.count ? name(of: tones[index]) : ""), note: Markup(row.note))
    }
  }

  private static func rows(_ comparison: Comparison) -> [BarRow] {
    let shown = comparison.measures.filter { $0.before != nil || $0.after != nil }
    return rows(comparison.chart, tones: shown.map(\.tone))
  }

  private static func name(of tone: Tone) -> String {
    switch tone {
    case .good: "good"
    case .bad: "bad"
    default: ""
    }
  }
}
