// SPDX-License-Identifier: Apache-2.0

/// Batch normalization with the statistics of the batch, then an addition and an activation.
///
/// `Y = activation((X − mean) · inverseDeviation · scale + bias + addend)`, mean and population
/// variance taken per channel (axis 1) over the whole batch and all positions, and
/// `inverseDeviation = 1 / √(variance + ε)`.
///
/// Inputs: X `[N, C, …]`, scale `[C]`, bias `[C]`, running mean `[C]`, running variance `[C]`, and
/// optionally an addend of X's shape. Outputs: Y, mean `[C]`, inverse deviation `[C]`, updated
/// running mean `[C]`, updated running variance `[C]`; the updated ones are
/// `running · momentum + batch · (1 − momentum)`, with the unbiased variance
/// (the population variance where a channel has a single element).
///
/// Source: Ioffe, Szegedy, "Batch Normalization", 2015, Algorithm 1.
public struct BatchStatisticsNormalization: Op {
  public var kind: String { "BatchStatisticsNormalization" }
  public var domain: String { "swiftlet.internal" }
  public var epsilon: Float
  public var momentum: Float
  /// `hardSwish` goes without an addend.
  public var activation: TrainingActivation

  public init(
    epsilon: Float = 1e-5, momentum: Float = 0.9, activation: TrainingActivation = .none
  ) {
    self.epsilon = epsilon
    self.momentum = momentum
    self.activation = activation
  }
}

/// The gradients of `BatchStatisticsNormalization`.
///
/// Inputs: dY, a second dY to be added to the first (may be left out), X, Y (may be left out where
/// the activation is `none` or `hardSwish`), scale, bias, mean, inverse deviation. Outputs: dX,
/// d scale `[C]`, d bias `[C]`, and d addend (left out where there is no addend): the gradient
/// behind the activation.
public struct BatchStatisticsNormalizationGradient: Op {
  public var kind: String { "BatchStatisticsNormalizationGradient" }
  public var domain: String { "swiftlet.internal" }
  public var activation: TrainingActivation

  public init(activation: TrainingActivation = .none) { self.activation = activation }
}
