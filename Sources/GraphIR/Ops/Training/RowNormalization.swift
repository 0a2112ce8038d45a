// SPDX-License-Identifier: Apache-2.0

/// Each row over its Euclidean length, or over `epsilon` where that is longer; input X `[N, …]`, of
/// which a row is everything but the first axis; output Y.
public struct RowNormalization: Op {
  public var kind: String { "RowNormalization" }
  public var domain: String { "swiftlet.internal" }
  public var epsilon: Float

  public init(epsilon: Float = 1e-12) { self.epsilon = epsilon }
}

/// The gradient of `RowNormalization`: with n the divisor of a row and y its result,
/// `(dY − y ⟨y, dY⟩) / n`, or `dY / n` where the row was shorter than `epsilon`; inputs dY, X;
/// output dX.
public struct RowNormalizationGradient: Op {
  public var kind: String { "RowNormalizationGradient" }
  public var domain: String { "swiftlet.internal" }
  public var epsilon: Float

  public init(epsilon: Float) { self.epsilon = epsilon }
}
