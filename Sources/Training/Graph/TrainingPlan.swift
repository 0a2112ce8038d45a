// SPDX-License-Identifier: Apache-2.0
public import CPURuntime

/// The graphs that train one network with one recipe, and what their inputs and outputs are.
public struct TrainingPlan: Sendable {
  /// Forward, backward and update.
  public var update: TrainingStep

  /// Forward and backward, with gradients added to what `update` adds to its own; `nil` where every
  /// batch is followed by an update.
  public var accumulation: TrainingStep?

  /// The forward pass in training form, whose outputs are the statistics of one batch by their
  /// names; `nil` for a network without batch norms.
  public var statistics: TrainingStep?

  /// Inputs that are numbers, new for every update.
  public var scalars: [StepScalar]

  /// Names of the inputs for the batch.
  public var imageInput: String
  public var targetInput: String

  /// Names of outputs of `update` and `accumulation`: the sum of all terms and the scores.
  public var lossOutput: String
  public var scoreOutput: String

  /// What each loss term contributes, by the name of its output.
  public var termOutputs: [(term: String, output: String)]

  /// Names of the variables that are constants of the network: parameters and statistics.
  public var networkVariables: [String]

  /// Names of the statistics of batch norms among them.
  public var statisticNames: [String]

  /// Elements of all parameters that are trained.
  public var parameterCount: Int

  /// The input of `accumulation` that is 0 for the first batch of an update, else 1.
  static let keepInput = "accumulate/keep"

  /// The variable that is the running average of another.
  static func average(of name: String) -> String { "\(name)/average" }
}
