// SPDX-License-Identifier: Apache-2.0
import Reporting
import Swiftlet

/// What `compare` shows.
struct CompareView {
  let networks: [ComparedNetwork]
  let command: CompareCommand

  private var threads: Int { command.common.threadCount }

  private var conditions: String {
    let count = networks.first?.evaluation.count ?? 0
    return "\(Format.integer(count)) samples · batch \(command.batch), \(threads) thread"
      + (threads == 1 ? "" : "s") + ", medians"
  }

  private static let headings = [
    "network", "parameters", "MACs", "size", "top-1", "latency", "spread", "type",
  ]

  private func row(_ network: ComparedNetwork) -> [String] {
    [
      network.name, Format.count(network.summary.parameters), Format.count(network.summary.macs),
      Format.bytes(network.bytes), network.evaluation.top1.map { Format.percent($0) } ?? "",
      Format.milliseconds(network.latency.median), Format.spread(network.latency.spread),
      network.precision.rawValue,
    ]
  }

  var table: Table {
    var table = Table(
      columns: Self.headings.enumerated().map { index, heading in
        index == 0
          ? Table.Column(heading) : Table.Column(heading, alignment: .right, fit: .keep)
      })
    for network in networks { table.rows.append(row(network).map { Table.Cell($0) }) }
    table.notes = [conditions]
    return table
  }

  private func plot(
    _ title: String, _ cost: String, _ x: (ComparedNetwork) -> Double
  ) -> ScatterPlot {
    ScatterPlot(
      title: title, xTitle: cost, yTitle: "top-1, %",
      points: networks.map { network in
        ScatterPlot.Point(
          name: network.name, x: x(network), y: (network.evaluation.top1 ?? .nan) * 100)
      })
  }

  private var plots: [ScatterPlot] {
    [
      plot("Accuracy against size", "megabytes") { Double($0.bytes) / 1e6 },
      plot("Accuracy against latency", "milliseconds") { $0.latency.median },
    ]
  }

  var page: HTMLReport {
    var page = HTMLReport(
      title: "\(networks.count) networks", subtitle: conditions, comparison: Comparison([]))
    page.listings = [
      HTMLReport.Listing(
        title: "Networks", headings: Self.headings, rows: networks.map { row($0) })
    ]
    page.tradeOffs = plots
    page.recipe = [
      HTMLReport.Snippet(
        title: "Command",
        text: (["swiftlet"] + CommandLine.arguments.dropFirst()).joined(separator: " "))
    ]
    let machine = Machine.current(threads: threads)
    page.facts = [
      HTMLReport.Fact("Data", command.data),
      HTMLReport.Fact("Processor", machine.processor), HTMLReport.Fact("Machine", machine.line),
      HTMLReport.Fact("Swiftlet", SwiftletTool.versionText),
      HTMLReport.Fact("oneDNN", machine.oneDNNVersion),
    ]
    page.facts += networks.map { HTMLReport.Fact("Preprocessing, \($0.name)", $0.preprocessing) }
    return page
  }

  var json: JSONValue {
    let fronts = plots.map { Set($0.front) }
    return [
      "data": .string(command.data), "batch": .integer(command.batch),
      "threads": .integer(threads),
      "networks": .array(
        networks.enumerated().map { index, network in
          [
            "model": .string(network.path), "parameters": .integer(network.summary.parameters),
            "macs": .integer(network.summary.macs), "bytes": .integer(network.bytes),
            "top1": .optional(network.evaluation.top1.map(JSONValue.percent)),
            "count": .integer(network.evaluation.count),
            "precision": .string(network.precision.rawValue),
            "latency_ms": BenchReport.json(network.latency),
            "best_by_size": .bool(fronts[0].contains(index)),
            "best_by_latency": .bool(fronts[1].contains(index)),
          ]
        }),
    ]
  }
}
