// SPDX-License-Identifier: Apache-2.0
import Foundation
import Reporting
import Swiftlet

/// The steps of `quantize`, in order: what was given, what is done, progress, figures.
struct QuantizeRun {
  let command: QuantizeCommand
  let options: QuantizationOptions
  let file: ModelFile
  let console: Console
  let interruption: Interruption

  private var common: CommonOptions { command.common }

  /// Quantizes, writes and measures.
  func outcome() throws -> QuantizeOutcome {
    let clock = ContinuousClock()
    let start = clock.now
    do {
      let data = try QuantizeData(command, file: file, needsSamples: options.needsSamples)
      let portable = try file.graph.portable(stoppingAfter: command.stopAfter ?? .max)
      let summary = try NetworkSummary(of: file.graph)
      let machine = Machine.current(threads: common.threadCount)
      let recipe = recipeWords(data)
      try announce(data, summary, machine, recipe)
      let (result, goal) = try quantize(portable, data)
      let quantized = described(result.graph, data)
      let written = try WrittenNetwork(
        quantized, to: URL(fileURLWithPath: command.output),
        options: common.compileOptions(quantized.naturalPrecision), seed: common.seed)
      interruption.keep("\(command.output) is written and whole; it was not measured to the end")
      var outcome = QuantizeOutcome(
        model: command.model, output: command.output, title: file.name, options: options,
        recipe: recipe, machine: machine, seed: common.seed, threads: common.threadCount,
        written: written)
      outcome.preprocessing = data.resolution?.preprocessing
      outcome.preprocessingWords = preprocessingWords(data)
      outcome.calibrationCount = data.calibrationSource?.sampleCount ?? 0
      outcome.measuredOn = data.measuredWords
      outcome.before.bytes = file.byteCount(constants: summary.constantBytes)
      outcome.before.parameters = summary.parameters
      outcome.before.integerShare = summary.integerShare
      outcome.goal = goal
      outcome.quantization = result.report
      try describe(written.portable, &outcome)
      try score(portable, written.portable, data, &outcome)
      try time(portable, written.portable, &outcome)
      outcome.seconds = (clock.now - start) / .seconds(1)
      outcome.command = (["swiftlet"] + CommandLine.arguments.dropFirst()).joined(separator: " ")
      return outcome
    } catch {
      throw CommandError.naming(file.path, error)
    }
  }

  // What was given and what will be done.
  private func announce(
    _ data: QuantizeData, _ summary: NetworkSummary, _ machine: Machine, _ recipe: [String]
  ) throws {
    let bytes = file.byteCount(constants: summary.constantBytes)
    try console.say(
      InspectView(graph: file.graph, summary: summary, name: file.path, bytes: bytes).headline)
    try console.say("Recipe", recipe.joined(separator: "\n"))
    if data.resolution != nil { try console.say("Preprocessing", preprocessingWords(data)) }
    try console.say("This machine", machine.line)
    for note in data.notes { try console.say("Data", note) }
    if let stopAfter = command.stopAfter {
      try console.say("Passes", "stopped after \(stopAfter) patches")
    }
    for warning in data.warnings { console.warn("\(warning)") }
    try console.say()
  }

  private func recipeWords(_ data: QuantizeData) -> [String] {
    var words = options.words
    if !data.calibrationWords.isEmpty {
      words[words.count - 1] += " · \(data.calibrationWords), seed \(common.seed)"
    }
    return words
  }

  private func preprocessingWords(_ data: QuantizeData) -> String {
    guard let resolution = data.resolution else { return "" }
    let kind = (data.calibration?.loader ?? data.evaluator?.loader)?.dataset.kind
    return "\(resolution.preprocessing.description(of: kind))      \(resolution.originWords)"
  }

  /// What the model's metadata says of how it came about.
  private func stored(_ data: QuantizeData) -> [String: String] {
    var entries = ["swiftlet.quantize": recipeWords(data).joined(separator: " · ")]
    if let resolution = data.resolution, resolution.origin != .asIs {
      entries.merge(resolution.preprocessing.metadata) { _, new in new }
    }
    return entries
  }

  /// The quantized network, with what the file is to say of itself.
  private func quantize(
    _ portable: Graph, _ data: QuantizeData
  ) throws -> (result: QuantizationResult, goal: AccuracyGoal?) {
    if let allowed = command.maxDrop {
      return try quantize(portable, data, losing: allowed)
    }
    let shown = QuantizeProgress(console: console)
    let executors = BatchedModel.factory(threads: common.threads)
    defer { shown.finish() }
    guard let source = data.calibrationSource else {
      return (
        try Quantizer.quantize(
          portable, calibration: InMemoryCalibration([]), options: options,
          makeExecutor: executors), nil
      )
    }
    let result = try Quantizer.quantize(
      portable, calibration: source, options: options, makeExecutor: executors,
      progress: shown.show)
    return (result, nil)
  }

  /// Quantizes as much as the allowed loss permits; the best so far is always in the file.
  private func quantize(
    _ portable: Graph, _ data: QuantizeData, losing allowed: Double
  ) throws -> (result: QuantizationResult, goal: AccuracyGoal?) {
    guard let source = data.calibration, let evaluator = data.evaluator,
      evaluator.loader.dataset.labels != nil
    else {
      throw CommandError(
        "--max-drop needs labelled samples to measure top-1 on",
        reasons: ["give --evaluate-on PATH with labels"], status: .wrongUsage)
    }
    let shown = QuantizeProgress(console: console)
    defer { shown.finish() }
    let hooks = BudgetHooks(
      evaluate: { graph in
        let model = try BatchedModel.factory(threads: common.threads)(graph)
        let progress = console.progress("Measuring", total: evaluator.indices.count)
        let score = try evaluator.score(of: model) { progress.update(to: $0) }
        let top1 = (score.top1 ?? 0) * 100
        progress.finish("\(Format.fixed(top1, decimals: 2)) % on \(data.measuredWords)")
        return top1
      },
      keepBest: { best in
        try OnnxModel.write(
          described(best.graph, data), to: URL(fileURLWithPath: command.output))
        interruption.keep("\(command.output) is the best network so far")
      },
      progress: shown.show)
    let found = try Quantizer.quantize(
      portable, within: AccuracyBudget(maximumDrop: allowed), calibration: source,
      options: options, makeExecutor: BatchedModel.factory(threads: common.threads), hooks: hooks)
    let goal = AccuracyGoal(
      allowed: allowed, lost: found.referenceScore - found.score, gap: found.gap,
      restored: found.restored, widened: found.widened, attempts: found.steps.count)
    return (found.result, goal)
  }

  /// The network with recipe and preprocessing in its metadata.
  private func described(_ graph: Graph, _ data: QuantizeData) -> Graph {
    var graph = graph
    graph.metadata.properties.merge(stored(data)) { _, new in new }
    return graph
  }

  private func describe(_ graph: Graph, _ outcome: inout QuantizeOutcome) throws {
    let summary = try NetworkSummary(of: graph)
    let url = URL(fileURLWithPath: command.output)
    let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
    outcome.after.bytes = (attributes?[.size] as? Int) ?? 0
    outcome.after.parameters = summary.parameters
    outcome.after.integerShare = summary.integerShare
    let damages = Dictionary(
      (outcome.quantization?.layers ?? []).map { ($0.name, $0) },
      uniquingKeysWith: { first, _ in first })
    outcome.layers = summary.layers.filter { $0.macs > 0 }.map { layer in
      LayerOutcome(
        name: layer.name, kind: layer.kind, macs: layer.macs, isInteger: layer.isInteger,
        damage: damages[layer.name])
    }
  }

  private func score(
    _ before: Graph, _ after: Graph, _ data: QuantizeData, _ outcome: inout QuantizeOutcome
  ) throws {
    guard let evaluator = data.evaluator else { return }
    let models = try [
      BatchedModel(portable: before, options: common.compileOptions(.fp32)),
      BatchedModel(portable: after, options: common.compileOptions(after.naturalPrecision)),
    ]
    let progress = console.progress("Measuring", total: evaluator.indices.count)
    let scores = try evaluator.scores(of: models) { progress.update(to: $0) }
    progress.finish(
      "float \(data.measuredWords) in \(Format.duration(scores[0].seconds)), "
        + "\(outcome.options.mode.shortName) in \(Format.duration(scores[1].seconds))")
    outcome.before.score = scores[0]
    outcome.after.score = scores[1]
  }

  /// Latency of both in turn, so that a drift of the machine's speed touches both alike; none of a
  /// network whose shapes depend on its data.
  private func time(_ before: Graph, _ after: Graph, _ outcome: inout QuantizeOutcome) throws {
    let first: CompiledModel
    let second: CompiledModel
    do {
      first = try CompiledModel(portable: before, options: common.compileOptions(.fp32))
      second = try CompiledModel(
        portable: after, options: common.compileOptions(after.naturalPrecision))
    } catch CompileError.unknownShape {
      return console.warn("shapes depend on the data: latency is not measured")
    }
    let latencies = try Latency.alternating([first, second], seed: common.seed)
    outcome.before.latency = latencies[0]
    outcome.after.latency = latencies[1]
    let inputs = RandomInputs.tensors(for: first.inputs, seed: common.seed)
    outcome.before.profile = try first.profile(inputs, runs: 5)
    outcome.after.profile = try second.profile(inputs, runs: 5)
    let threads = common.threadCount
    outcome.before.peakMemoryBytes = ChildBench.peakMemory(
      of: command.model, precision: .fp32, threads: threads)
    outcome.after.peakMemoryBytes = ChildBench.peakMemory(
      of: command.output, precision: after.naturalPrecision, threads: threads)
  }
}

extension QuantizationOptions.Mode {
  /// The type of the result in a word.
  var shortName: String {
    switch self {
    case .fixed, .dynamic, .weightOnly: "int8"
    case .float16: "fp16"
    case .bfloat16: "bf16"
    }
  }
}
