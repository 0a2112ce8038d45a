// SPDX-License-Identifier: Apache-2.0

/// Choices for compiling a step of training.
public struct TrainingOptions: Sendable, Equatable {
  /// Threads that work on one step; by default every processor that this process may use.
  public var threads: Int
  /// `bf16` keeps activations and their gradients in bfloat16; weights, their gradients and
  /// statistics stay in 32 bits. `int8` means `fp32`.
  public var precision: Precision

  public init(threads: Int? = nil, precision: Precision = .fp32) {
    self.threads = max(threads ?? ThreadTeam.processorCount, 1)
    self.precision = precision
  }
}
