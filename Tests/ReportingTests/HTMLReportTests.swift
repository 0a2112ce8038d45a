// SPDX-License-Identifier: Apache-2.0

import Foundation
import Reporting
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("The page is complete, self-contained, and safe from the names in it")
struct HTMLReportTests {
  private static let hostile = "conv\"'\u{301}\"\u{301}><script>alert(1)</script>&\u{1b}\u{202e}"

  private func report(name: String = "conv1") -> HTMLReport {
    var report = HTMLReport(
      title: name, subtitle: name,
      comparison: Comparison([
        Measure("Size", .fileSize, before: 1_110_000, after: 310_000),
        Measure("Latency", .latency, before: 2, after: 1, note: name),
        Measure("Top-1", .accuracy, before: 0.926, after: 0.9251),
        Measure("Memory", .memory, before: nil, after: nil),
      ]))
    report.remarks = [name]
    report.latency = [
      .init(name: name, kind: name, before: 1, after: 0.5),
      .init(name: "b", kind: "Conv", before: 1, after: nil),
    ]
    let histogram = Histogram(
      title: name, lower: -1, upper: 1, counts: [1, 2, 3],
      grid: .init(lower: -0.5, upper: 0.5, levels: 255), valueTitle: name)
    report.damage = [
      .init(
        name: name, path: name, kind: name, storage: name, signalToNoise: 18, rangeKept: 0.99,
        cause: name,
        detail: .init(
          weights: histogram, activations: histogram,
          channels: ChannelRanges(title: name, lower: [-1], upper: [1]), cause: name,
          suggestion: name, command: name)),
      .init(name: "plain", kind: "Conv"),
    ]
    report.curves = [
      LineChart(
        title: name, xTitle: name, yTitle: name,
        series: [.init(name: name, values: [1, 2]), .init(name: "b", values: [2, 3])])
    ]
    report.tradeOffs = [
      ScatterPlot(title: name, xTitle: name, yTitle: name, points: [.init(name: name, x: 1, y: 1)])
    ]
    report.recipe = [.init(title: name, text: "one\ntwo " + name)]
    report.facts = [.init(name, name)]
    return report
  }

  @Test("Hostile names in every place leave no tag, attribute or control character")
  func hostileNames() throws {
    let html = try report(name: Self.hostile).html()
    #expect(!html.contains("<script>alert"))
    #expect(!html.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
    #expect(!html.unicodeScalars.contains("\u{202e}"))
    let quotes = html.unicodeScalars.split(separator: "\"").dropFirst()
    #expect(!quotes.contains { $0.first == "\u{301}" })
    #expect(html.contains("&lt;script&gt;"))
  }

  @Test("With hostile names the page has the same elements as with plain ones")
  func sameStructure() throws {
    func elements(_ html: String) -> [String] {
      html.matches(of: /<\/?[a-z][a-z0-9]*/).map { String($0.output) }
        .filter { $0 != "<wbr" && $0 != "<text" && $0 != "</text" && $0 != "<line" }
    }
    #expect(try elements(report(name: Self.hostile).html()) == elements(report().html()))
  }

  @Test("Each picture is well-formed XML")
  func wellFormed() throws {
    let html = try report(name: Self.hostile).html()
    let pictures = html.matches(of: /<svg.*?<\/svg>/.dotMatchesNewlines()).map(\.output)
    #expect(pictures.count > 15)
    for picture in pictures {
      let parser = XMLParser(data: Data(picture.utf8))
      #expect(parser.parse(), "\(picture.prefix(200))")
    }
  }

  @Test("The page refers to nothing outside itself")
  func selfContained() throws {
    let html = try report().html()
    #expect(!html.contains("http:") && !html.contains("https:") && !html.contains("src=\""))
    #expect(html.contains("default-src 'none'"))
  }

  @Test("What was not measured is not printed, and empty sections are left out")
  func absent() throws {
    let html = try HTMLReport(
      title: "x", comparison: Comparison([Measure("Memory", .memory, before: nil, after: 1)])
    ).html()
    for section in ["damage", "latency", "worst", "training", "trade-offs", "recipe", "facts"] {
      #expect(!html.contains("<section id=\"\(section)\">"))
    }
    #expect(try !report().html().contains(">Memory<"))
  }

  @Test("Layers link to their details, and only layers that have them")
  func links() throws {
    let html = try report().html()
    #expect(html.contains("<a href=\"#layer-1\">conv1</a>"))
    #expect(html.contains("<article id=\"layer-1\">"))
    #expect(!html.contains("layer-2"))
  }

  @Test("The same report gives the same bytes")
  func deterministic() throws { #expect(try report().html() == report().html()) }

  @Test("Table and verdict come from the same measures")
  func comparison() {
    let comparison = report().comparison
    #expect(comparison.verdict == "3.6× smaller, 2.0× faster, Top-1 −0.09 points")
    #expect(
      comparison.table.lines() == [
        "           before     after",
        "Size      1.11 MB   0.31 MB   3.6× smaller",
        "Latency   2.00 ms   1.00 ms   2.0× faster    conv1",
        "Top-1     92.60 %   92.51 %   −0.09 points",
      ])
  }
}
