// SPDX-License-Identifier: Apache-2.0
import Reporting
import Swiftlet

/// The HTML page about a quantization.
struct QuantizePage {
  let outcome: QuantizeOutcome
  let view: QuantizeView

  var report: HTMLReport {
    var report = HTMLReport(
      title: outcome.model, subtitle: outcome.recipe.first ?? "", comparison: view.comparison)
    report.latency = latency
    report.latencyNote = "batch 1, \(outcome.threads) threads, random inputs"
    report.damage = view.damaged.map { layer in
      HTMLReport.LayerDamage(
        name: layer.name, kind: layer.kind, storage: layer.isInteger ? "int8" : "float",
        signalToNoise: layer.signalToNoise, rangeKept: layer.rangeKept, cause: layer.cause,
        detail: layer.mend.isEmpty
          ? nil : HTMLReport.LayerDetail(cause: layer.cause, suggestion: layer.mend))
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
    report.remarks = view.conclusion(report: nil).filter { $0.0 != "Next" }.map { "\($0): \($1)" }
    return report
  }

  /// Steps of both programs by the node they work for, in the order of the float network.
  private var latency: [HTMLReport.LayerLatency] {
    var order: [String] = []
    var rows: [String: HTMLReport.LayerLatency] = [:]
    func add(_ timings: [StepTiming], to path: WritableKeyPath<HTMLReport.LayerLatency, Double?>) {
      for timing in timings {
        let name = timing.label.nodes.first ?? "(layout)"
        if rows[name] == nil { order.append(name) }
        var row = rows[name] ?? HTMLReport.LayerLatency(
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
