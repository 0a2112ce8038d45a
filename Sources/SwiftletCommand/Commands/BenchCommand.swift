// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
package import Reporting
package import Swiftlet

/// The command `swiftlet bench`.
package struct BenchCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures latency and peak memory on this machine.",
    usage: """
      swiftlet bench resnet20.int8.onnx
      swiftlet bench resnet20.int8.onnx --batch 16 --threads 1 --precision int8 --profile
      """,
    discussion: "Inputs are random, of a fixed seed. Runs that warm up do not count.")

  @Argument(help: ArgumentHelp("The ONNX file.", valueName: "model.onnx"))
  package var model: String

  @Option(help: ArgumentHelp("Samples in one run.", valueName: "n"))
  package var batch = 1

  @Option(
    help: "fp32, bf16 or int8; by default int8 for a quantized network, else fp32.")
  package var precision: Precision?

  @Option(help: ArgumentHelp("Runs that count.", valueName: "n"))
  package var runs = 50

  @Flag(help: "Show how long each step takes and which kernel does it.")
  package var profile = false

  @OptionGroup package var common: CommonOptions

  package init() {}

  package func validate() throws {
    guard (1...65536).contains(batch) else {
      throw ValidationError("--batch \(batch): accepted: 1…65536")
    }
    guard (1...1_000_000).contains(runs) else {
      throw ValidationError("--runs \(runs): accepted: 1…1000000")
    }
  }

  package func run(on console: Console) throws {
    let file = try ModelFile(model)
    var report: BenchReport
    do {
      let portable = try file.graph.portable()
      let chosen = precision ?? portable.naturalPrecision
      let compiled = try CompiledModel(
        portable: portable, batch: batch, options: common.compileOptions(chosen))
      let latency = try Latency.measured(compiled, runs: runs, seed: common.seed)
      report = BenchReport(
        model: model, batch: batch, threads: common.threadCount, precision: chosen,
        latency: latency, arenaBytes: compiled.arenaByteCount)
      if profile {
        let inputs = RandomInputs.tensors(for: compiled.inputs, seed: common.seed)
        report.profile = try compiled.profile(inputs, runs: runs)
      }
    } catch {
      throw CommandError.naming(model, error)
    }
    report.peakMemoryBytes = PeakMemory.bytes
    if let table = report.profileTable {
      try console.show(table)
      try console.show("")
    }
    try console.show(report.table)
    try console.object(report.json)
  }
}

/// What `bench` measured.
package struct BenchReport {
  package var model: String
  package var batch: Int
  package var threads: Int
  package var precision: Precision
  package var latency: Latency
  package var arenaBytes: Int
  package var peakMemoryBytes: Int?
  package var profile: [StepTiming] = []

  package var table: Table {
    var table = Table(columns: [
      Table.Column("", fit: .keep), Table.Column("", alignment: .right),
      Table.Column("", fit: .wrap),
    ])
    let threadWords = threads == 1 ? "1 thread" : "\(threads) threads"
    table.add(
      Table.Cell("Latency, batch \(batch)", tone: .strong),
      Table.Cell(Format.milliseconds(latency.median)),
      Table.Cell(
        "\(Format.spread(latency.spread)), median of \(latency.milliseconds.count) runs, "
          + "\(threadWords), \(precision.rawValue)", tone: .faint))
    table.add(
      Table.Cell("Fastest, 95 %", tone: .strong),
      Table.Cell(Format.milliseconds(latency.minimum)),
      Table.Cell(Format.milliseconds(latency.p95), tone: .faint))
    table.add(
      Table.Cell("Throughput", tone: .strong),
      Table.Cell(Format.rate(Double(batch) / latency.median * 1e3, unit: "samples")))
    if let peakMemoryBytes {
      table.add(
        Table.Cell("Peak memory", tone: .strong), Table.Cell(Format.bytes(peakMemoryBytes)),
        Table.Cell("of the process; \(Format.bytes(arenaBytes)) for activations", tone: .faint))
    }
    return table
  }

  /// Steps in the order they run; `nil` without a profile.
  package var profileTable: Table? {
    guard !profile.isEmpty else { return nil }
    let total = profile.reduce(0) { $0 + $1.seconds }
    var table = Table(columns: [
      Table.Column("step"), Table.Column("operator", fit: .keep), Table.Column("kernel"),
      Table.Column("type", fit: .keep), Table.Column("time", alignment: .right),
      Table.Column("share", alignment: .right),
    ])
    for timing in profile {
      let share = total > 0 ? timing.seconds / total : 0
      let label = timing.label
      table.add(
        Table.Cell(label.nodes.joined(separator: " + ")), Table.Cell(label.kind),
        Table.Cell(
          label.implementation, tone: label.implementation == "reference" ? .bad : .plain),
        Table.Cell(label.precision),
        Table.Cell(Format.fixed(timing.seconds * 1e6, decimals: 1) + " µs"),
        Table.Cell(Format.percent(share, decimals: 1)))
    }
    table.notes = ["sum of the steps \(Format.milliseconds(total * 1e3))"]
    return table
  }

  package var json: JSONValue {
    var object: JSONValue = [
      "model": .string(model), "batch": .integer(batch), "threads": .integer(threads),
      "precision": .string(precision.rawValue),
      "runs": .integer(latency.milliseconds.count), "latency_ms": Self.json(latency),
      "throughput": .number(Double(batch) / latency.median * 1e3),
      "peak_memory_bytes": .optional(peakMemoryBytes), "arena_bytes": .integer(arenaBytes),
    ]
    if !profile.isEmpty {
      object["profile"] = .array(
        profile.map { timing in
          [
            "nodes": .array(timing.label.nodes.map { .string($0) }),
            "operator": .string(timing.label.kind),
            "kernel": .string(timing.label.implementation),
            "type": .string(timing.label.precision), "ms": .number(timing.seconds * 1e3),
          ]
        })
    }
    return object
  }

  package static func json(_ latency: Latency) -> JSONValue {
    [
      "min": .number(latency.minimum), "median": .number(latency.median),
      "p95": .number(latency.p95), "spread": .number(latency.spread),
    ]
  }
}
