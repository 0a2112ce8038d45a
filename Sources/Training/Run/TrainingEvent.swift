// SPDX-License-Identifier: Apache-2.0

/// What training tells while it runs.
public enum TrainingEvent: Sendable {
  /// The programs are compiled and training begins, or goes on.
  case started(TrainingOverview)
  case stepped(StepReport)
  /// A batch of an evaluation is done.
  case evaluating(done: Int, of: Int)
  case epochEnded(EpochReport)
  /// A checkpoint is complete.
  case saved(path: String, step: Int)
  /// Statistics of batch norms were computed anew from so many batches.
  case reestimated(batches: Int)
  case stoppedEarly(EpochReport)
  /// Training was asked to stop.
  case interrupted(step: Int)
}

/// What is about to be trained.
public struct TrainingOverview: Sendable, Equatable {
  /// Elements of all parameters that are trained.
  public var parameters: Int
  public var batchesPerEpoch: Int
  public var stepsPerEpoch: Int
  public var totalSteps: Int
  /// Updates that a checkpoint had made already.
  public var stepsDone: Int
  /// Bytes of working memory of the programs, weights and states left out.
  public var arenaBytes: Int
}

/// One update.
public struct StepReport: Sendable, Equatable {
  /// Updates made, this one among them.
  public var step: Int
  public var totalSteps: Int
  /// From 0.
  public var epoch: Int
  /// Updates of the epoch made, this one among them.
  public var stepInEpoch: Int
  public var stepsPerEpoch: Int
  /// Mean over the batches of the update.
  public var loss: Double
  /// What each term contributed before its weight, where there are several.
  public var terms: [String: Double]
  public var learningRate: Double
  /// Fraction of the epoch's samples so far whose best score was the label's.
  public var trainingTop1: Double
  /// Samples trained per second during about the last half minute, evaluations left out.
  public var imagesPerSecond: Double
  /// Seconds until the last update at this speed.
  public var secondsLeft: Double
}

/// One epoch.
public struct EpochReport: Sendable, Equatable, Codable {
  /// From 0.
  public var epoch: Int
  /// Updates made so far.
  public var step: Int
  /// Mean over the epoch's batches.
  public var loss: Double
  /// Fraction of the samples whose best score was the label's, while their network changed.
  public var trainingTop1: Double
  public var learningRate: Double
  /// What each term contributed before its weight, a mean over the epoch's batches, where there are
  /// several.
  public var terms: [String: Double]?
  public var validation: Score?
  public var test: Score?
}

/// How well a network scores labelled samples.
public struct Score: Sendable, Equatable, Codable {
  public var count: Int
  /// Samples whose best score was the label's; of equal scores the first counts.
  public var correct: Int
  /// Mean of `−log softmax(score)` at the label.
  public var loss: Double

  /// `correct` as a fraction of `count`.
  public var top1: Double { count > 0 ? Double(correct) / Double(count) : 0 }

  public init(count: Int, correct: Int, loss: Double) {
    self.count = count
    self.correct = correct
    self.loss = loss
  }
}
