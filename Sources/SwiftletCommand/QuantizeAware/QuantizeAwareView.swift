// SPDX-License-Identifier: Apache-2.0
import Reporting
import Swiftlet
import Training

/// What `qat` shows at its end.
struct QuantizeAwareView {
  let training: TrainOutcome
  let figures: QuantizeAwareFigures

  private var result: TrainingResult { training.result }

  /// The float network, the same bits without training, and the result.
  var table: Table {
    var table = Table(columns: [
      Table.Column("", fit: .keep), Table.Column("before", alignment: .right),
      Table.Column("not trained", alignment: .right), Table.Column("trained", alignment: .right),
      Table.Column("", fit: .wrap),
    ])
    func add(_ name: String, _ values: [String?], _ note: String = "") {
      table.add(
        Table.Cell(name), Table.Cell(values[0] ?? ""), Table.Cell(values[1] ?? ""),
        Table.Cell(values[2] ?? "", tone: .strong), Table.Cell(note))
    }
    let share = Double(training.bytes) / Double(max(figures.bytesBefore, 1))
    add(
      "Size",
      [
        Format.bytes(figures.bytesBefore), Format.bytes(figures.untrainedBytes),
        Format.bytes(training.bytes),
      ], "\(Format.fixed(1 / share, decimals: 1))× smaller")
    if let after = result.test {
      var note = "\(Format.integer(after.count)) test samples"
      if let before = training.before {
        note = "\(Format.points(after.top1 - before.top1)) points, " + note
      }
      add(
        "Top-1",
        [
          training.before.map { Format.percent($0.top1) },
          figures.untrained.map { Format.percent($0.top1) }, Format.percent(after.top1),
        ], note)
    }
    if figures.latencies.count == 2 {
      let (before, after) = (figures.latencies[0], figures.latencies[1])
      let ratio = before.median / after.median
      add(
        "Latency, batch 1",
        [Format.milliseconds(before.median), nil, Format.milliseconds(after.median)],
        ratio >= 1
          ? "\(Format.fixed(ratio, decimals: 1))× faster"
          : "\(Format.fixed(1 / ratio, decimals: 1))× slower")
    }
    add("Training", [nil, nil, Format.rate(result.imagesPerSecond, unit: "images")])
    return table
  }

  /// Layers by bits: `18 layers W4A4, 2 layers W8A8`.
  var bitsWords: String {
    var order: [String] = []
    var counts: [String: Int] = [:]
    for layer in training.quantization?.layers ?? [] {
      func bits(_ number: Int) -> String { number == 32 ? "float" : "\(number)" }
      let words = "W\(bits(layer.weightBits))A\(bits(layer.activationBits))"
      if counts[words] == nil { order.append(words) }
      counts[words, default: 0] += 1
    }
    return order.map { "\(counts[$0] ?? 0) × \($0)" }.joined(separator: ", ")
  }

  var conclusion: [(String, String)] {
    let difference = training.written.greatestDifference
    let same =
      difference == 0
      ? "identical outputs" : "outputs differ by up to \(Format.significant(difference))"
    var lines = [
      ("Layers", bitsWords),
      (
        "Written",
        "\(training.request.output), read back: \(same); runs in ONNX ≥ opset "
          + "\(training.written.opset)"
      ), ("Checkpoint", training.request.checkpointPath),
    ]
    if let report = training.request.report { lines.append(("Report", report)) }
    return lines
  }

  /// The page of the training with both networks in its table.
  var page: HTMLReport {
    var report = TrainPage(outcome: training, view: TrainView(outcome: training)).report
    report.comparison = Comparison([
      Measure(
        "Size", .fileSize, before: Double(figures.bytesBefore), after: Double(training.bytes)),
      Measure(
        "Top-1", .accuracy, before: training.before?.top1, after: result.test?.top1,
        note: result.test.map { "\(Format.integer($0.count)) test samples" } ?? ""),
      Measure(
        "Top-1 without training", .accuracy, before: training.before?.top1,
        after: figures.untrained?.top1, note: "the same bits, by the least squared error"),
      Measure(
        "Latency, batch 1", .latency, before: figures.latencies.first?.median,
        after: figures.latencies.last?.median),
    ])
    report.remarks = conclusion.map { "\($0): \($1)" }
    return report
  }

  var json: JSONValue {
    var object = TrainView(outcome: training).json
    object["quantizer"] = .string(training.quantization?.name ?? "")
    object["layers"] = .array(
      (training.quantization?.layers ?? []).map { layer in
        [
          "name": .string(layer.name), "weights": .integer(layer.weightBits),
          "activations": .integer(layer.activationBits),
        ]
      })
    object["bytes_before"] = .integer(figures.bytesBefore)
    object["untrained"] = [
      "bytes": .integer(figures.untrainedBytes),
      "top1": .optional(figures.untrained.map { JSONValue.percent($0.top1) }),
    ]
    if figures.latencies.count == 2 {
      object["latency_ms"] = [
        "before": BenchReport.json(figures.latencies[0]),
        "after": BenchReport.json(figures.latencies[1]),
      ]
    }
    return object
  }
}
