// SPDX-License-Identifier: Apache-2.0

/// One step of stochastic gradient descent with momentum.
///
/// `g = gradient · gradientScale + decay · w`, `v = momentum · v + g`, and
/// `w = w − rate · (nesterov ? g + momentum · v : v)`. Inputs: weight, gradient, velocity, learning
/// rate (a scalar), gradient scale (a scalar; may be left out). Outputs: weight, velocity.
public struct SGDUpdate: Op {
  public var kind: String { "SGDUpdate" }
  public var domain: String { "swiftlet.internal" }
  public var momentum: Float
  public var usesNesterov: Bool
  public var weightDecay: Float

  public init(momentum: Float, usesNesterov: Bool = false, weightDecay: Float = 0) {
    self.momentum = momentum
    self.usesNesterov = usesNesterov
    self.weightDecay = weightDecay
  }
}

/// One step of Adam, or of AdamW where decay is decoupled.
///
/// Inputs: weight, gradient, first moment, second moment, learning rate (a scalar), step (a float
/// scalar, from 1), gradient scale (a scalar; may be left out). Outputs: weight, both moments.
///
/// Source: Kingma, Ba, "Adam", 2015, Algorithm 1; Loshchilov, Hutter, "Decoupled Weight Decay
/// Regularization", 2019, Algorithm 2 (`w` loses `rate · decay · w`).
public struct AdamUpdate: Op {
  public var kind: String { "AdamUpdate" }
  public var domain: String { "swiftlet.internal" }
  public var beta1: Float
  public var beta2: Float
  public var epsilon: Float
  public var weightDecay: Float
  public var decouplesDecay: Bool

  public init(
    beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, weightDecay: Float = 0,
    decouplesDecay: Bool = false
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.decouplesDecay = decouplesDecay
  }
}

/// One step of RMSProp.
///
/// `s = smoothing · s + (1 − smoothing) · g²`, `v = momentum · v + g / (√s + ε)`, `w = w − rate · v`,
/// with `g` as for `SGDUpdate`. Inputs: weight, gradient, mean square, velocity, learning rate (a
/// scalar), gradient scale (a scalar; may be left out). Outputs: weight, mean square, velocity.
public struct RMSPropUpdate: Op {
  public var kind: String { "RMSPropUpdate" }
  public var domain: String { "swiftlet.internal" }
  public var smoothing: Float
  public var epsilon: Float
  public var momentum: Float
  public var weightDecay: Float

  public init(
    smoothing: Float = 0.99, epsilon: Float = 1e-8, momentum: Float = 0, weightDecay: Float = 0
  ) {
    self.smoothing = smoothing
    self.epsilon = epsilon
    self.momentum = momentum
    self.weightDecay = weightDecay
  }
}

/// `average · decay + value · (1 − decay)`; inputs average, value, decay (a scalar); output average.
public struct AverageUpdate: Op {
  public var kind: String { "AverageUpdate" }
  public var domain: String { "swiftlet.internal" }
  public init() {}
}

/// The factor that brings the norm of all gradients together down to a limit, 1 where it is lower;
/// inputs: the gradients; output: a scalar, for the gradient scale of the updates.
public struct ClipScale: Op {
  public var kind: String { "ClipScale" }
  public var domain: String { "swiftlet.internal" }
  public var limit: Float

  public init(limit: Float) { self.limit = limit }
}
