// SPDX-License-Identifier: Apache-2.0
public import GraphIR
public import TensorCore

/// What a run of training leaves.
public struct TrainingResult: Sendable {
  public enum Ending: Sendable, Equatable {
    case completed
    /// The validation split saw no improvement for long; the best weights were taken.
    case stoppedEarly
    /// Training was asked to stop; a checkpoint was written if there is a place for it.
    case interrupted
  }

  public var ending: Ending

  /// `Trainer.network` with trained values in place of its constants: nothing else is changed.
  public var network: Graph

  /// `network` as the methods that took part leave it for use; without any, the same.
  public var deployed: Graph

  /// Updates made in all.
  public var steps: Int

  /// Every epoch that is complete, those before a checkpoint among them.
  public var history: [EpochReport]

  /// Scores of `network` in the end, where there is data for them.
  public var validation: Score?
  public var test: Score?

  /// All variables by name: weights and statistics as the network's constants are called, an
  /// optimizer's state as `weight/velocity`, averages as `weight/average`.
  public var state: [String: Tensor]

  /// Samples trained per second in this run, evaluations left out.
  public var imagesPerSecond: Double
}
