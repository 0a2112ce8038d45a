// SPDX-License-Identifier: Apache-2.0

import Reporting
import Testing

@Suite("Charts put values where they belong")
struct ChartTests {
  @Test("Ticks are round values around the data")
  func ticks() {
    let axis = Axis(from: 0.3, to: 9.4, count: 6)
    #expect(axis.ticks == [0, 2, 4, 6, 8, 10])
    #expect((axis.lower, axis.upper) == (0, 10))
    #expect(axis.position(2.5) == 0.25)
    #expect(axis.label(4) == "4")
    #expect(
      Axis(from: -0.11, to: 0.12, count: 5).ticks.map { ($0 * 100).rounded() } == [
        -15, -10, -5, 0, 5, 10, 15,
      ])
  }

  @Test("A tight axis keeps its ends and has ticks inside")
  func tight() {
    let axis = Axis(from: 0.3, to: 9.4, count: 6, isLoose: false)
    #expect(axis.ticks == [2, 4, 6, 8])
    #expect((axis.lower, axis.upper) == (0.3, 9.4))
  }

  @Test("A logarithmic axis gives equal factors equal lengths")
  func logarithmic() {
    let axis = Axis(from: 0.1, to: 1000, count: 4, isLogarithmic: true)
    #expect(abs(axis.position(10) - 0.5) < 1e-12)
    #expect(axis.ticks.map(axis.label) == ["0.1", "1", "10", "100", "1000"])
  }

  @Test(
    "Degenerate ranges still make an axis",
    arguments: [
      (0.0, 0.0), (5.0, 5.0), (-3.0, -3.0), (Double.nan, 1.0), (2.0, 1.0), (0.0, Double.infinity),
      (1e-305, 2e-305), (-1.7e308, 1.7e308), (1e300, 1e300),
    ])
  func degenerate(_ lower: Double, _ upper: Double) {
    let axis = Axis(from: lower, to: upper)
    #expect(axis.lower < axis.upper)
    #expect(axis.ticks.count >= 2 && axis.ticks.count < 20)
    #expect(axis.position((axis.lower + axis.upper) / 2).isFinite)
  }

  @Test("The front holds what nothing else beats, by rising cost")
  func front() {
    let plot = ScatterPlot(
      title: "t", xTitle: "x", yTitle: "y",
      points: [
        .init(name: "float", x: 4, y: 92), .init(name: "int8", x: 1, y: 91.9),
        .init(name: "worse", x: 2, y: 90), .init(name: "same cost", x: 1, y: 80),
        .init(name: "binary", x: 0.5, y: 70), .init(name: "equal", x: 1, y: 91.9),
        .init(name: "unknown", x: .nan, y: 99),
      ])
    #expect(plot.front == [4, 1, 0])
    for width in [348.0, 920] {
      let svg = plot.svg(width: width)
      #expect(plot.points.dropLast().allSatisfy { svg.contains(">\($0.name)</text>") })
      #expect(!svg.contains("nan"))
    }
  }

  @Test("The best point of a curve is the first of the best; gaps are left out")
  func best() {
    let values = [1, .nan, 3, 2, 3.0]
    #expect(LineChart.Series(name: "a", values: values, best: .highest).bestIndex == 2)
    #expect(LineChart.Series(name: "a", values: values, best: .lowest).bestIndex == 0)
    #expect(LineChart.Series(name: "a", values: [.nan], best: .lowest).bestIndex == nil)
    let chart = LineChart(
      title: "t", xTitle: "x", yTitle: "y",
      series: [.init(name: "a", values: values, best: .highest)])
    #expect(chart.svg(width: 600).contains("best 3 at 3"))
    #expect(chart.svg(width: 600).components(separatedBy: "<polyline").count == 2)
  }

  @Test("Bars are shares of their scale")
  func bars() {
    func bar(_ value: Double) -> BarChart.Bar { .init(value: value, text: "", isAfter: false) }
    var chart = BarChart(
      title: "t",
      rows: [
        .init(label: "a", bars: [bar(4), bar(1)]), .init(label: "b", bars: [bar(2), bar(.nan)]),
        .init(label: "c", bars: [bar(0.5)], full: 1),
      ])
    #expect(chart.lengths == [[1, 0.25], [0.5, 0], [0.5]])
    chart.hasCommonScale = false
    #expect(chart.lengths == [[1, 0.25], [1, 0], [0.5]])
  }

  @Test("Stacked segments follow each other on the longest row's scale")
  func stacked() {
    func part(_ name: String, _ group: String, _ value: Double) -> StackedBars.Segment {
      .init(name: name, group: group, value: value)
    }
    let chart = StackedBars(
      title: "t",
      rows: [
        .init(label: "before", segments: [part("a", "Add", 1), part("b", "Conv", 3)]),
        .init(label: "after", segments: [part("a", "Add", 1), part("b", "Conv", 1)]),
      ])
    #expect(chart.groups == ["Conv", "Add"])
    #expect(chart.totals(of: "Conv") == [3, 1])
    #expect(chart.extents.map { $0.map(\.start) } == [[0, 0.25], [0, 0.25]])
    #expect(chart.extents.map { $0.map(\.length) } == [[0.25, 0.75], [0.25, 0.25]])
  }

  @Test("A histogram draws range, grid and the bins that are cut")
  func histogram() {
    let chart = Histogram(
      title: "w", lower: 0, upper: 10, counts: [5, 3, 0, 1, 1],
      grid: QuantizationGrid(lower: 0, upper: 6, levels: 4))
    let svg = chart.svg(width: 448)
    #expect(svg.components(separatedBy: "class=\"bin\"").count == 3)
    #expect(svg.components(separatedBy: "class=\"bin cut\"").count == 3)
    #expect(svg.components(separatedBy: "class=\"level\"").count == 5)
    #expect(svg.contains("each of 4 levels"))
    #expect(svg.contains("6 to 8: 1, clipped"))
  }

  @Test(
    "Grids without extent and empty histograms are drawn",
    arguments: [
      Histogram(title: "w", lower: 0, upper: 0, counts: []),
      Histogram(
        title: "w", lower: 0, upper: 0, counts: [7],
        grid: QuantizationGrid(lower: 0, upper: 0, levels: 256)),
      Histogram(
        title: "w", lower: -1, upper: 1, counts: [7],
        grid: QuantizationGrid(lower: -1e-9, upper: 1e-9, levels: 256)),
      Histogram(
        title: "w", lower: .nan, upper: .infinity, counts: [7],
        grid: QuantizationGrid(lower: 0, upper: 1, levels: 1)),
    ])
  func emptyHistogram(_ chart: Histogram) {
    let svg = chart.svg(width: 348)
    #expect(svg.hasPrefix("<svg"))
    #expect(!svg.contains("nan") && !svg.contains("inf"))
  }

  @Test("The widest channel is marked")
  func channels() {
    let chart = ChannelRanges(title: "c", lower: [-1, -9, 0], upper: [1, 2, 8])
    #expect(chart.widest == 1)
    #expect(chart.svg(width: 600).contains(">channel 1</text>"))
    #expect(ChannelRanges(title: "c", lower: [], upper: []).svg(width: 348).hasPrefix("<svg"))
  }
}
