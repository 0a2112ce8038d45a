// SPDX-License-Identifier: Apache-2.0
import Reporting
import Swiftlet
import Training

/// Shows what a trainer tells: a bar for the epoch, a line for each that is done.
///
/// A class because the events of a run change what is on the terminal.
final class TrainProgress {
  private let console: Console
  private let epochs: Int
  private let imagesPerStep: Int
  private var current: (epoch: Int, progress: Progress)?
  private var facts: [String] = []

  init(console: Console, epochs: Int, imagesPerStep: Int) {
    self.console = console
    self.epochs = epochs
    self.imagesPerStep = imagesPerStep
  }

  func show(_ event: TrainingEvent) {
    switch event {
    case .started(let overview): started(overview)
    case .stepped(let step): stepped(step)
    case .evaluating(let done, let total):
      current?.progress.update(
        to: current?.progress.completed ?? 0,
        facts: facts.prefix(2) + ["measuring \(done)/\(total)"])
    case .epochEnded(let epoch):
      let progress = current?.progress
      progress?.finish(Self.words(epoch))
      current = nil
    case .saved(let path, let step):
      try? console.detail("Saved           \(path), step \(Format.integer(step))")
    case .reestimated(let batches):
      try? console.detail("Statistics      of batch norms from \(batches) batches")
    case .stoppedEarly(let epoch):
      try? console.say("Stopped", "no improvement since epoch \(epoch.epoch + 1), which is kept")
    case .interrupted: current = nil
    }
  }

  private func started(_ overview: TrainingOverview) {
    var words =
      "\(Format.integer(overview.totalSteps)) steps, \(Format.integer(overview.stepsPerEpoch)) "
      + "an epoch; working memory \(Format.bytes(overview.arenaBytes))"
    if overview.stepsDone > 0 {
      words += "; going on after step \(Format.integer(overview.stepsDone))"
    }
    try? console.say("Training", words)
  }

  private func stepped(_ step: StepReport) {
    if current?.epoch != step.epoch {
      let progress = console.progress(
        "Epoch \(step.epoch + 1)/\(epochs)", total: step.stepsPerEpoch * imagesPerStep)
      current = (step.epoch, progress)
    }
    facts = [
      "loss \(Format.significant(step.loss))",
      "top-1 \(Format.percent(step.trainingTop1, decimals: 1))",
      Format.rate(step.imagesPerSecond, unit: "images"),
      Format.duration(step.secondsLeft.rounded(.up)) + " left",
    ]
    current?.progress.update(to: step.stepInEpoch * imagesPerStep, facts: facts)
  }

  /// `loss 0.412   top-1 85.6 % training   84.9 % validation   84.7 % test`.
  private static func words(_ epoch: EpochReport) -> String {
    var words = [
      "loss \(Format.fixed(epoch.loss, decimals: 4))",
      "top-1 \(Format.percent(epoch.trainingTop1)) training",
    ]
    if let score = epoch.validation { words.append("\(Format.percent(score.top1)) validation") }
    if let score = epoch.test { words.append("\(Format.percent(score.top1)) test") }
    words.append("rate \(Format.significant(epoch.learningRate))")
    return words.joined(separator: "   ")
  }
}
