// SPDX-License-Identifier: Apache-2.0

/// The input, unchanged, with no gradient behind it: a teacher's answer, or a frozen part.
public struct StopGradient: Op {
  public var kind: String { "StopGradient" }
  public var domain: String { "swiftlet.internal" }
  public init() {}
}

/// The value of one input with the gradient of another; inputs x, y of one shape; output y.
///
/// The gradient goes to x as it is, but only where `lower ≤ x ≤ upper` if bounds are given. So a
/// rounding `y` of `x`, which has no useful derivative, can be trained through.
///
/// Source: Bengio, Léonard, Courville, "Estimating or Propagating Gradients Through Stochastic
/// Neurons for Conditional Computation", 2013, section 4.
public struct StraightThrough: Op {
  public var kind: String { "StraightThrough" }
  public var domain: String { "swiftlet.internal" }
  public var lower: Float?
  public var upper: Float?

  public init(lower: Float? = nil, upper: Float? = nil) {
    self.lower = lower
    self.upper = upper
  }
}
