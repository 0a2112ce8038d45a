// SPDX-License-Identifier: Apache-2.0
import Reporting
import Swiftlet

/// What `quantize` shows at its end.
struct QuantizeView {
  let outcome: QuantizeOutcome

  /// The figures of both networks, in the order of the table.
  var comparison: Comparison {
    let (before, after) = (outcome.before, outcome.after)
    let agreement = after.score?.agreement
    let latencyNote = after.latency.map {
      "\(Format.spread($0.spread)), \(outcome.threads) thread\(outcome.threads == 1 ? "" : "s")"
    }
    return Comparison([
      Measure(
        "Size", .fileSize, before: Double(before.bytes), after: Double(after.bytes)),
      Measure(
        "Parameters", .count, before: Double(before.parameters), after: Double(after.parameters)),
      Measure("MACs in int8", .share, before: before.integerShare, after: after.integerShare),
      Measure(
        "Top-1", .accuracy, before: before.score?.top1, after: after.score?.top1,
        note: outcome.measuredOn),
      Measure(
        "Top-5", .accuracy, before: before.score?.meaningfulTop5,
        after: after.score?.meaningfulTop5),
      Measure(
        "Agreement", .share, before: nil, after: agreement,
        note: before.score?.top1 == nil ? outcome.measuredOn : ""),
      Measure("SQNR", .ratio, before: nil, after: after.score?.signalToNoise),
      Measure(
        "Latency, batch 1", .latency, before: before.latency?.median,
        after: after.latency?.median, note: latencyNote ?? ""),
      Measure(
        "Peak memory", .memory, before: before.peakMemoryBytes.map(Double.init),
        after: after.peakMemoryBytes.map(Double.init), note: "of a process that runs it"),
    ])
  }

  /// Layers by damage, the worst first; those that were not measured are left out.
  var damaged: [LayerOutcome] {
    outcome.layers.filter { $0.damage?.outputDecibels != nil }.sorted {
      ($0.damage?.outputDecibels ?? .infinity) < ($1.damage?.outputDecibels ?? .infinity)
    }
  }

  var damageTable: Table? {
    let layers = damaged
    guard !layers.isEmpty else { return nil }
    let shown = layers.prefix(5)
    var table = Table(
      columns: [
        Table.Column("Where it hurt most"), Table.Column("", fit: .keep),
        Table.Column("SQNR", alignment: .right), Table.Column("range kept", alignment: .right),
        Table.Column("why", fit: .wrap),
      ], indent: 2)
    for layer in shown {
      guard let damage = layer.damage else { continue }
      table.add(
        Table.Cell(layer.name), Table.Cell(layer.kind),
        Table.Cell(damage.outputDecibels.map { Format.decibels($0) } ?? ""),
        Table.Cell(Format.share(damage.shareKept)), Table.Cell(damage.cause ?? ""))
    }
    let rest = layers.dropFirst(shown.count)
    if let best = rest.first?.damage?.outputDecibels {
      table.notes = ["\(rest.count) more at \(Format.decibels(best)) or above; --report has all"]
    }
    return table
  }

  /// What was written and whether the goal was met.
  func conclusion(report: String?) -> [(String, String)] {
    var lines: [(String, String)] = []
    let difference = outcome.written.greatestDifference
    let same =
      difference == 0
      ? "identical outputs"
      : "outputs differ by up to \(Format.significant(difference)) from the network in memory"
    lines.append(
      (
        "Written",
        "\(outcome.output), read back: \(same); runs in ONNX ≥ opset \(outcome.written.opset)"
      ))
    if let report { lines.append(("Report", report)) }
    if let slow = slowWords { lines.append(("Slow here", slow)) }
    if let goal = outcome.goal {
      let lost = Format.fixed(max(goal.lost, 0), decimals: 2)
      let allowed = Format.significant(goal.allowed)
      if goal.isMet {
        lines.append(("Goal", "met: \(lost) points lost, \(allowed) allowed"))
      } else {
        let gap = Format.fixed(goal.gap, decimals: 2)
        lines.append(
          (
            "Goal",
            "missed: \(gap) points over the allowed \(allowed); \(outcome.output) is the closest of "
              + "\(goal.attempts) networks"
          ))
      }
      if !goal.restored.isEmpty {
        lines.append(("In float", goal.restored.joined(separator: ", ")))
      }
      if !goal.widened.isEmpty {
        lines.append(("In 16 bits", goal.widened.joined(separator: ", ")))
      }
    }
    return lines
  }

  /// The operators of the result for which there are no fast kernels; `nil` if there are none.
  private var slowWords: String? {
    var counts: [String: Int] = [:]
    for timing in outcome.after.profile where timing.label.implementation == "reference" {
      counts[timing.label.kind, default: 0] += 1
    }
    guard !counts.isEmpty else { return nil }
    let words = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    return words.joined(separator: ", ") + " on the reference operators"
  }

  /// What to do next: a remedy for the worst layer, or a command.
  var next: String {
    if let worst = damaged.first, let remedy = worst.remedy,
      worst.damage?.outputDecibels ?? .infinity < Self.worrying
    {
      return "\(remedy) would help \(worst.name)"
    }
    return "swiftlet bench \(outcome.output) --profile"
  }

  /// Below this, in decibels, a remedy is offered.
  private static let worrying = 20.0

  var json: JSONValue {
    var object: JSONValue = [
      "model": .string(outcome.model), "output": .string(outcome.output),
      "recipe": .array(outcome.recipe.map { .string($0) }),
      "mode": .string(outcome.options.mode.rawValue),
      "estimator": .string(outcome.options.estimator),
      "preprocessing": .string(outcome.preprocessingWords),
      "samples": .integer(outcome.calibrationCount), "measured_on": .string(outcome.measuredOn),
      "seed": .integer(Int(clamping: outcome.seed)), "threads": .integer(outcome.threads),
      "machine": .string(outcome.machine.line), "before": figures(outcome.before),
      "after": figures(outcome.after),
    ]
    if let goal = outcome.goal {
      object["goal"] = [
        "max_drop": .number(goal.allowed), "lost": .number(goal.lost), "met": .bool(goal.isMet),
        "restored": .array(goal.restored.map { .string($0) }),
        "widened": .array(goal.widened.map { .string($0) }),
        "measured": .integer(goal.attempts),
      ]
    }
    object["written"] = [
      "opset": .integer(outcome.written.opset),
      "identical": .bool(outcome.written.greatestDifference == 0),
      "greatest_difference": .number(outcome.written.greatestDifference),
    ]
    object["seconds"] = .number(outcome.seconds)
    object["layers"] = .array(outcome.layers.map(layer))
    return object
  }

  private func figures(_ figures: NetworkFigures) -> JSONValue {
    var object: JSONValue = [
      "bytes": .integer(figures.bytes), "parameters": .integer(figures.parameters),
      "int8_macs_share": .number(figures.integerShare),
      "top1": .optional(figures.score?.top1.map(JSONValue.percent)),
      "top5": .optional(figures.score?.top5.map(JSONValue.percent)),
    ]
    if let score = figures.score { object["count"] = .integer(score.count) }
    if let agreement = figures.score?.agreement {
      object["agreement"] = .number(JSONValue.percent(agreement))
    }
    if let ratio = figures.score?.signalToNoise { object["sqnr_db"] = .number(ratio) }
    if let latency = figures.latency { object["latency_ms"] = BenchReport.json(latency) }
    object["peak_memory_bytes"] = .optional(figures.peakMemoryBytes)
    return object
  }

  private func layer(_ layer: LayerOutcome) -> JSONValue {
    var object: JSONValue = [
      "name": .string(layer.name), "operator": .string(layer.kind), "macs": .integer(layer.macs),
      "storage": .string(layer.storage),
    ]
    guard let damage = layer.damage else { return object }
    func range(_ range: ValueRange) -> JSONValue {
      [.number(Double(range.lower)), .number(Double(range.upper))]
    }
    object["sqnr_db"] = .optional(damage.outputDecibels)
    object["weight_sqnr_db"] = .optional(damage.weightDecibels)
    object["observed"] = range(damage.observed)
    object["range"] = range(damage.covered)
    object["range_kept"] = .number(damage.shareKept)
    object["cause"] = .optional(damage.cause)
    object["remedy"] = .optional(layer.remedy)
    return object
  }
}
