// SPDX-License-Identifier: Apache-2.0
import Reporting
import Swiftlet
import Training

/// What `train` shows at its end.
struct TrainView {
  let outcome: TrainOutcome

  private var result: TrainingResult { outcome.result }

  /// The figures of the network, one a row.
  var table: Table {
    var table = Table(columns: [
      Table.Column("", fit: .keep), Table.Column("", alignment: .right),
      Table.Column("", fit: .wrap),
    ])
    func add(_ name: String, _ value: String, _ note: String = "") {
      table.add(Table.Cell(name), Table.Cell(value, tone: .strong), Table.Cell(note))
    }
    if let score = result.test {
      var note = "\(Format.integer(score.count)) test samples"
      if let before = outcome.before {
        note +=
          "; \(Format.percent(before.top1)) before, "
          + "\(Format.points(score.top1 - before.top1)) points"
      }
      add("Top-1", Format.percent(score.top1), note)
    }
    if let score = result.validation {
      add(
        "Top-1, validation", Format.percent(score.top1),
        "\(Format.integer(score.count)) samples held back")
    }
    for (name, value, note) in outcome.notes.rows(result.test) { add(name, value, note) }
    if let last = result.history.last {
      add(
        "Top-1, training", Format.percent(last.trainingTop1),
        "while they were trained on, epoch \(last.epoch + 1) of \(outcome.recipe.epochs)")
      add("Loss", Format.fixed(last.loss, decimals: 4), "mean of that epoch")
    }
    add("Parameters", Format.count(outcome.summary.parameters))
    add("MACs", Format.count(outcome.summary.macs))
    add("Size", Format.bytes(outcome.bytes))
    add(
      "Speed", Format.rate(result.imagesPerSecond, unit: "images"),
      "\(outcome.recipe.precision.rawValue), \(outcome.machine.threads) thread"
        + (outcome.machine.threads == 1 ? "" : "s"))
    add(
      "Time", Format.duration(outcome.seconds), "\(Format.integer(result.steps)) steps in all")
    return table
  }

  func conclusion(report: String?) -> [(String, String)] {
    let difference = outcome.written.greatestDifference
    let same =
      difference == 0
      ? "identical outputs"
      : "outputs differ by up to \(Format.significant(difference)) from the network in memory"
    var lines = [
      (
        "Written",
        "\(outcome.request.output), read back: \(same); runs in ONNX ≥ opset "
          + "\(outcome.written.opset)"
      ),
      ("Checkpoint", outcome.request.checkpointPath),
    ]
    if let report { lines.append(("Report", report)) }
    if let log = outcome.request.log { lines.append(("Log", log)) }
    if let folder = outcome.request.tensorboard {
      lines.append(("TensorBoard", "tensorboard --logdir \(folder)"))
    }
    return lines
  }

  var next: String {
    let stem =
      outcome.request.output.hasSuffix(".onnx")
      ? String(outcome.request.output.dropLast(5)) : outcome.request.output
    return "swiftlet quantize \(outcome.request.output) --data \(outcome.request.data) "
      + "-o \(stem).int8.onnx"
  }

  var json: JSONValue {
    var object: JSONValue = [
      "network": .string(outcome.name), "output": .string(outcome.request.output),
      "ending": .string(result.ending == .stoppedEarly ? "stopped early" : "completed"),
      "recipe": .array(outcome.recipeLines.map { .string($0) }),
      "data": .string(outcome.dataWords), "preprocessing": .string(outcome.preprocessingWords),
      "seed": .integer(Int(clamping: outcome.recipe.seed)),
      "threads": .integer(outcome.machine.threads), "machine": .string(outcome.machine.line),
      "steps": .integer(result.steps), "parameters": .integer(outcome.summary.parameters),
      "macs": .integer(outcome.summary.macs), "bytes": .integer(outcome.bytes),
      "images_per_second": .number(result.imagesPerSecond), "seconds": .number(outcome.seconds),
      "test": Self.json(result.test), "validation": Self.json(result.validation),
      "before": Self.json(outcome.before),
    ]
    object["written"] = [
      "opset": .integer(outcome.written.opset),
      "identical": .bool(outcome.written.greatestDifference == 0),
    ]
    object["history"] = .array(
      result.history.map { epoch in
        [
          "epoch": .integer(epoch.epoch + 1), "step": .integer(epoch.step),
          "loss": .number(epoch.loss),
          "training_top1": .number(JSONValue.percent(epoch.trainingTop1)),
          "learning_rate": .number(epoch.learningRate), "terms": Self.json(epoch.terms),
          "validation": Self.json(epoch.validation), "test": Self.json(epoch.test),
        ]
      })
    for (name, value) in outcome.notes.json { object[name] = value }
    return object
  }

  private static func json(_ terms: [String: Double]?) -> JSONValue {
    guard let terms else { return .null }
    return .object(
      terms.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, .number($0.value)) })
  }

  private static func json(_ score: Score?) -> JSONValue {
    guard let score else { return .null }
    return [
      "top1": .number(JSONValue.percent(score.top1)), "loss": .number(score.loss),
      "count": .integer(score.count),
    ]
  }
}

/// The HTML page about a training.
struct TrainPage {
  let outcome: TrainOutcome
  let view: TrainView

  var report: HTMLReport {
    let history = outcome.result.history
    var report = HTMLReport(
      title: outcome.name, subtitle: outcome.dataWords,
      comparison: Comparison([
        Measure(
          "Top-1", .accuracy, before: outcome.before?.top1, after: outcome.result.test?.top1,
          note: outcome.result.test.map { "\(Format.integer($0.count)) test samples" } ?? ""),
        Measure(
          "Top-1, validation", .accuracy, before: nil, after: outcome.result.validation?.top1),
        Measure("Top-1, training", .accuracy, before: nil, after: history.last?.trainingTop1),
        Measure(
          "Parameters", .count, before: nil, after: Double(outcome.summary.parameters)),
        Measure("MACs", .count, before: nil, after: Double(outcome.summary.macs)),
        Measure("Size", .fileSize, before: nil, after: Double(outcome.bytes)),
      ]))
    report.curves = [
      chart(
        "Top-1", "fraction",
        [
          ("training", history.map { $0.trainingTop1 }, .none),
          ("validation", history.map { $0.validation?.top1 ?? .nan }, .highest),
          ("test", history.map { $0.test?.top1 ?? .nan }, .highest),
        ]),
      chart(
        "Loss", "cross-entropy",
        [
          ("training", history.map { $0.loss }, .none),
          ("validation", history.map { $0.validation?.loss ?? .nan }, .lowest),
          ("test", history.map { $0.test?.loss ?? .nan }, .lowest),
        ]),
      chart(
        "Terms of the loss", "before their weights",
        Set(history.flatMap { ($0.terms ?? [:]).keys }).sorted().map { name in
          (name, history.map { $0.terms?[name] ?? .nan }, .none)
        }),
      chart("Learning rate", "rate", [("rate", history.map { $0.learningRate }, .none)]),
    ]
    report.curves.removeAll { $0.series.isEmpty }
    report.listings = outcome.notes.listings
    report.recipe = [
      HTMLReport.Snippet(title: "Command", text: outcome.commandLine),
      HTMLReport.Snippet(title: "Recipe", text: outcome.recipeLines.joined(separator: "\n")),
    ]
    report.facts = [
      HTMLReport.Fact("Data", outcome.dataWords),
      HTMLReport.Fact("Preprocessing", outcome.preprocessingWords),
    ]
    report.facts += outcome.notes.facts
    report.facts += [
      HTMLReport.Fact("Processor", outcome.machine.processor),
      HTMLReport.Fact("Machine", outcome.machine.line),
      HTMLReport.Fact("Swiftlet", SwiftletTool.versionText),
      HTMLReport.Fact("Seed", "\(outcome.recipe.seed)"),
      HTMLReport.Fact(
        "Speed", Format.rate(outcome.result.imagesPerSecond, unit: "images")),
      HTMLReport.Fact("Time", Format.duration(outcome.seconds)),
    ]
    report.remarks = view.conclusion(report: nil).map { "\($0): \($1)" }
    return report
  }

  private func chart(
    _ title: String, _ unit: String,
    _ curves: [(name: String, values: [Double], best: LineChart.Best)]
  ) -> LineChart {
    LineChart(
      title: title, xTitle: "epoch", yTitle: unit,
      series: curves.filter { $0.values.contains { $0.isFinite } }.map {
        LineChart.Series(name: $0.name, values: $0.values, best: $0.best)
      })
  }
}
