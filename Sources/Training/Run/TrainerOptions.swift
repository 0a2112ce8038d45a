// SPDX-License-Identifier: Apache-2.0

/// Choices for a run of training that do not change its result.
public struct TrainerOptions: Sendable {
  /// Threads that train; by default every processor that this process may use.
  public var threads: Int?

  /// Where and how often checkpoints are written; `nil` for none.
  public var checkpoints: CheckpointOptions?

  /// Asked between updates.
  public var interrupt: InterruptFlag?

  /// Updates after which training stops, as if it were complete; schedules follow the recipe.
  public var stepLimit: Int?

  public init(threads: Int? = nil, checkpoints: CheckpointOptions? = nil) {
    self.threads = threads
    self.checkpoints = checkpoints
  }
}

/// Where and how often checkpoints are written.
public struct CheckpointOptions: Sendable, Equatable {
  /// The network's file, `NAME.onnx`; the state lies beside it in `NAME.state.safetensors`.
  public var path: String

  /// Epochs from one checkpoint to the next; 0 for none but the last.
  public var epochInterval: Int

  /// Seconds after which a checkpoint is written in the middle of an epoch; `nil` for never.
  public var secondInterval: Double?

  /// Whether training goes on from the checkpoint that is there; without it training starts anew
  /// and replaces what is there.
  public var resumes: Bool

  public init(
    path: String, epochInterval: Int = 1, secondInterval: Double? = 300, resumes: Bool = false
  ) {
    self.path = path
    self.epochInterval = epochInterval
    self.secondInterval = secondInterval
    self.resumes = resumes
  }
}
