// SPDX-License-Identifier: Apache-2.0

/// The mean over the batch of `−Σ target · log softmax(logits)`.
///
/// Inputs: logits `[N, C]`, targets `[N, C]` (each row a distribution: one class, smoothed or mixed
/// classes, a teacher's probabilities). Outputs: loss (a scalar), probabilities `[N, C]`.
public struct SoftmaxCrossEntropy: Op {
  public var kind: String { "SoftmaxCrossEntropy" }
  public var domain: String { "swiftlet.internal" }
  public init() {}
}

/// The gradient of `SoftmaxCrossEntropy`: `dLoss · (p · Σ target − target) / N`; inputs dLoss (a
/// scalar), probabilities, targets; output d logits.
public struct SoftmaxCrossEntropyGradient: Op {
  public var kind: String { "SoftmaxCrossEntropyGradient" }
  public var domain: String { "swiftlet.internal" }
  public init() {}
}
