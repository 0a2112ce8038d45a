// SPDX-License-Identifier: Apache-2.0
import Reporting
import Swiftlet

/// The HTML page about a quantization.
struct QuantizePage {
  let outcome: QuantizeOutcome
  let view: QuantizeView

  var report: HTMLReport {
    var report = HTMLReport(
      title: outcome.title, subtitle: outcome.recipe.first ?? "", comparison: view.comparison)
    report.latency = latency
    report.latencyNote = "batch 1, \(outcome.threads) threads, random inputs"
    report.damage = view.damaged.compactMap { layer in
      layer.damage.map { damage(of: layer, $0) }
    }
    report.recipe = [HTMLReport.Snippet(title: "Command", text: outcome.command)]
    report.facts = [
      HTMLReport.Fact("Recipe", outcome.recipe.joined(separator: " · ")),
      HTMLReport.Fact("Preprocessing", outcome.preprocessingWords),
      HTMLReport.Fact("Measured on", outcome.measuredOn),
      HTMLReport.Fact("Processor", outcome.machine.processor),
      HTMLReport.Fact("Machine", outcome.machine.line),
      HTMLReport.Fact("Swiftlet", SwiftletTool.versionText),
      HTMLReport.Fact("oneDNN", outcome.machine.oneDNNVersion),
      HTMLReport.Fact("Seed", "\(outcome.seed)"),
    ].filter { !$0.value.isEmpty }
    report.remarks = view.conclusion(report: nil).map { "\($0): \($1)" }
    return report
  }

  private func damage(of layer: LayerOutcome, _ known: LayerReport) -> HTMLReport.LayerDamage {
    var detail: HTMLReport.LayerDetail?
    if known.weightHistogram != nil || known.activationHistogram != nil {
      detail = HTMLReport.LayerDetail(
        weights: known.weightHistogram.map { Self.chart($0, "Weights of \(layer.name)", "weight") },
        activations: known.activationHistogram.map {
          Self.chart($0, "Results of \(layer.name)", "activation")
        },
        cause: known.cause ?? "", suggestion: layer.remedy == nil ? "" : "What would help:",
        command: layer.remedy ?? "")
    }
    return HTMLReport.LayerDamage(
      name: layer.name, kind: layer.kind, storage: layer.storage,
      signalToNoise: known.outputDecibels, rangeKept: known.shareKept, cause: known.cause ?? "",
      detail: detail)
  }

  private static func chart(
    _ report: HistogramReport, _ title: String, _ valueTitle: String
  ) -> Reporting.Histogram {
    let (lower, upper) = (Double(report.covered.lower), Double(report.covered.upper))
    let levels = report.step > 0 ? Int((upper - lower) / Double(report.step) + 0.5) + 1 : 1
    return Reporting.Histogram(
      title: title, lower: Double(report.range.lower), upper: Double(report.range.upper),
      counts: report.counts.map { Int(clamping: $0) },
      grid: QuantizationGrid(lower: lower, upper: upper, levels: levels), valueTitle: valueTitle)
  }

  /// Steps of both programs by the node they work for, in the order of the float network.
  private var latency: [HTMLReport.LayerLatency] {
    var order: [String] = []
    var rows: [String: HTMLReport.LayerLatency] = [:]
    func add(_ timings: [StepTiming], to path: WritableKeyPath<HTMLReport.LayerLatency, Double?>) {
      for timing in timings {
        let name = timing.label.nodes.first ?? "(layout)"
        if rows[name] == nil { order.append(name) }
        var row =
          rows[name]
          ?? HTMLReport.LayerLatency(
            name: name, kind: timing.label.kind, before: nil, after: nil)
        row[keyPath: path] = (row[keyPath: path] ?? 0) + timing.seconds * 1e3
        rows[name] = row
      }
    }
    add(outcome.before.profile, to: \.before)
    add(outcome.after.profile, to: \.after)
    return order.compactMap { rows[$0] }
  }
}
