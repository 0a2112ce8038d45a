// SPDX-License-Identifier: Apache-2.0

/// Choices for compiling a step of training.
public struct TrainingOptions: Sendable, Equatable {
  /// Threads that work on one step; by default every processor that this process may use.
  public var threads: Int
  /// The arithmetic of activations and their gradients.
  ///
  /// `bf16` keeps them in bfloat16, and weights, their gradients and statistics in 32 bits; `int8`
  /// means `fp32`.
  public var precision: Precision

  public init(threads: Int? = nil, precision: Precision = .fp32) {
    self.threads = max(threads ?? ThreadTeam.processorCount, 1)
    self.precision = precision
  }
}
