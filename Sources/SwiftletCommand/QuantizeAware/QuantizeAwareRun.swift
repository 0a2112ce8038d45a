// SPDX-License-Identifier: Apache-2.0
import DataIO
import Foundation
import Reporting
import Swiftlet
import Training

/// The steps of `qat`: training, then figures of the float network, of the same bits without
/// training, and of the result.
struct QuantizeAwareRun {
  let request: TrainRequest
  let console: Console

  func finished() throws -> QuantizeAwareView {
    try request.checkOutputs()
    let flag = InterruptFlag()
    let interruption = Interruption(kept: "nothing was written", asking: flag)
    let outcome = try TrainRun(request: request, console: console, flag: flag).outcome()
    withExtendedLifetime(interruption) {}
    let view = QuantizeAwareView(training: outcome, figures: try figures(outcome))
    try console.say()
    try console.show(view.table)
    try console.say()
    if let report = request.report {
      try AtomicFile.write(try view.page.html(), to: report)
    }
    for (label, text) in view.conclusion { try console.say(label, text) }
    try console.say("Next            swiftlet bench \(request.output) --profile")
    return view
  }

  private func figures(_ outcome: TrainOutcome) throws -> QuantizeAwareFigures {
    var figures = QuantizeAwareFigures()
    let path = request.model ?? ""
    let summary = try NetworkSummary(of: outcome.dataset.network)
    figures.bytesBefore = try ModelFile(path).byteCount(constants: summary.constantBytes)
    let untrained = try untrained(outcome)
    figures.untrainedBytes = try OnnxModel.serialized(untrained).count
    if let test = outcome.dataset.test {
      let progress = console.progress("Without training", total: nil)
      let score = try Trainer.score(of: untrained, on: test, threads: request.common.threads)
      progress.finish(
        "top-1 \(Format.percent(score.top1)) with the same bits, by the least squared error")
      figures.untrained = score
    }
    let models = try [(outcome.original, Precision.fp32), (outcome.network, .int8)].map {
      try CompiledModel(
        portable: try $0.portable(), options: request.common.compileOptions($1))
    }
    figures.latencies = try Latency.alternating(models, seed: request.common.seed)
    return figures
  }

  /// The network with the same bits and no training: grids of the least squared error.
  private func untrained(_ outcome: TrainOutcome) throws -> Graph {
    var options = request.quantization ?? TrainedQuantizationOptions()
    options.quantizer = MethodChoice("minmax", ["range": "mse"])
    options.activationQuantizer = nil
    let method = try TrainedQuantization(
      for: outcome.original, options: options,
      calibration: try outcome.dataset.calibration(seed: request.common.seed),
      makeExecutor: BatchedModel.factory(threads: request.common.threads))
    return try method.deployed(outcome.original, values: [:])
  }
}

/// What was measured beside training.
struct QuantizeAwareFigures {
  var bytesBefore = 0
  var untrainedBytes = 0
  var untrained: Score?
  /// Of the float network and of the result.
  var latencies: [Latency] = []
}
