// SPDX-License-Identifier: Apache-2.0

/// Zeroes elements at random and scales the others by `1 / (1 − ratio)`.
///
/// Inputs: X, step (an int64 scalar). An element is kept or not by a counter-based generator of
/// (`stream`, step, index of the element in the whole batch, row-major in NCHW order), so the result
/// depends on neither threads nor memory layout, and the gradient is the same operator applied to dY.
public struct RandomDropout: Op {
  public var kind: String { "RandomDropout" }
  public var domain: String { "swiftlet.internal" }
  public var ratio: Float
  /// Tells the dropouts of one network, and the seeds of training, apart.
  public var stream: UInt64

  public init(ratio: Float, stream: UInt64) {
    self.ratio = ratio
    self.stream = stream
  }
}
