// SPDX-License-Identifier: Apache-2.0
import Foundation
import Reporting
import Swiftlet
import Training

/// The steps of `train`, in order: what was given, what is done, progress, the network.
struct TrainRun {
  let request: TrainRequest
  let console: Console
  let flag: InterruptFlag

  var common: CommonOptions { request.common }

  /// Trains, writes and measures.
  ///
  /// - Throws: `ExitStatus.interrupted` after Ctrl-C, when what was kept has been told.
  func outcome() throws -> TrainOutcome {
    let clock = ContinuousClock()
    let start = clock.now
    let data = try TrainData(request)
    let machine = Machine.current(threads: common.threadCount)
    let lines = try data.recipe.lines()
    try announce(data, machine, lines)
    var trainer = try trainer(data)
    let quantization = try quantization(of: trainer.network, data)
    if let quantization { trainer.add(quantization) }
    let notes = try request.addition?.add(to: &trainer, data, self) ?? TrainNotes()
    let before = try scoreBefore(trainer, data)
    let logs = TrainLogs(request, console: console)
    let progress = TrainProgress(
      console: console, epochs: data.recipe.epochs,
      imagesPerStep: data.recipe.batchSize * data.recipe.accumulation)
    let result = try trainer.train(
      on: data.training, validation: data.validation, test: data.test
    ) { event in
      progress.show(event)
      logs.add(event)
    }
    if result.ending == .interrupted { throw try interrupted(result) }
    var graph = result.deployed
    graph.metadata.properties.merge(stored(data, lines)) { _, new in new }
    graph.metadata.properties.merge(notes.metadata) { _, new in new }
    let url = URL(fileURLWithPath: request.output)
    let written = try WrittenNetwork(
      graph, to: url, options: common.compileOptions(graph.naturalPrecision), seed: common.seed)
    let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
    return TrainOutcome(
      name: data.name, request: request, recipe: data.recipe, recipeLines: lines,
      dataWords: data.words, preprocessingWords: preprocessingWords(data), machine: machine,
      summary: try NetworkSummary(of: graph), bytes: (attributes?[.size] as? Int) ?? 0,
      result: result, quantization: quantization, network: graph, original: trainer.network,
      dataset: data, written: written, before: before,
      seconds: (clock.now - start) / .seconds(1),
      commandLine: (["swiftlet"] + CommandLine.arguments.dropFirst()).joined(separator: " "),
      notes: notes)
  }

  // What was given and what will be done.
  private func announce(_ data: TrainData, _ machine: Machine, _ lines: [String]) throws {
    let summary = try NetworkSummary(of: data.network)
    let facts = [
      "\(Format.count(summary.parameters)) parameters", "\(Format.count(summary.macs)) MACs",
      data.network.words(data.network.inputs),
    ]
    try console.say("\(data.name)   " + facts.joined(separator: " · "))
    try console.say("Data", data.words)
    for note in data.dataset.notes { try console.say("", note) }
    try console.say("Preprocessing", preprocessingWords(data))
    try console.say("Recipe", lines.joined(separator: " · "))
    try console.say("This machine", machine.line)
    for warning in data.warnings { console.warn("\(warning)") }
    try console.say()
  }

  private func trainer(_ data: TrainData) throws -> Trainer {
    let folder = URL(fileURLWithPath: request.checkpointPath).deletingLastPathComponent()
    if request.resumes, !FileManager.default.fileExists(atPath: request.checkpointPath) {
      console.warn(
        "\(request.checkpointPath): no checkpoint to go on from",
        "training starts from the beginning")
    }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw CommandError(
        "\(folder.relativePath): the folder for checkpoints cannot be made",
        reasons: [error.localizedDescription])
    }
    var options = TrainerOptions(
      threads: common.threads,
      checkpoints: CheckpointOptions(
        path: request.checkpointPath, secondInterval: request.checkpointEvery,
        resumes: request.resumes))
    options.interrupt = flag
    options.stepLimit = request.steps
    do {
      let network =
        request.quantization == nil ? data.network : TrainedQuantization.prepared(data.network)
      return try Trainer(network, recipe: data.recipe, options: options)
    } catch {
      throw CommandError.naming(request.model ?? data.name, error)
    }
  }

  /// Quantization that takes part, begun with grids that fit the network's own activations.
  private func quantization(
    of network: Graph, _ data: TrainData
  ) throws -> TrainedQuantization? {
    guard let options = request.quantization else { return nil }
    do {
      return try TrainedQuantization(
        for: network, options: options,
        calibration: try data.calibration(seed: common.seed),
        makeExecutor: BatchedModel.factory(threads: common.threads))
    } catch {
      throw CommandError.naming(request.model ?? data.name, error)
    }
  }

  private func scoreBefore(_ trainer: Trainer, _ data: TrainData) throws -> Score? {
    guard request.model != nil, let test = data.test else { return nil }
    let progress = console.progress("Before", total: nil)
    let score = try Trainer.score(of: trainer.network, on: test, threads: common.threads)
    progress.finish("top-1 \(Format.percent(score.top1)) before training")
    return score
  }

  private func preprocessingWords(_ data: TrainData) -> String {
    "\(data.resolution.preprocessing.description(of: data.dataset.kind))      "
      + data.resolution.originWords
  }

  /// What the model's metadata says of how it came about.
  private func stored(_ data: TrainData, _ lines: [String]) -> [String: String] {
    var entries = [
      "swiftlet.train": "\(data.name) on \(data.words)",
      "swiftlet.recipe": lines.joined(separator: "\n"),
    ]
    if data.resolution.origin != .asIs {
      entries.merge(data.resolution.preprocessing.metadata) { _, new in new }
    }
    return entries
  }

  private func interrupted(_ result: TrainingResult) throws -> ExitStatus {
    try interrupted(steps: result.steps)
  }

  /// Says what was kept when training was asked to stop.
  func interrupted(steps: Int) throws -> ExitStatus {
    try console.show(
      "Interrupted     after step \(Format.integer(steps)); the checkpoint is "
        + "\(request.checkpointPath)")
    try console.say("Next            the same command with --resume goes on from there")
    try console.object([
      "ending": "interrupted", "steps": .integer(steps),
      "checkpoint": .string(request.checkpointPath),
    ])
    return .interrupted
  }
}
