// SPDX-License-Identifier: Apache-2.0

/// `(x − mean) / √(variance + ε) · scale + bias` per channel; inputs X, scale, bias, mean, variance.
public struct BatchNormalization: Op {
  public var kind: String { "BatchNormalization" }
  public var epsilon: Float
  public var momentum: Float
  public var trainingMode: Bool

  public init(epsilon: Float = 1e-5, momentum: Float = 0.9, trainingMode: Bool = false) {
    self.epsilon = epsilon
    self.momentum = momentum
    self.trainingMode = trainingMode
  }
}

/// Normalization over the axes from `axis` on; inputs X, scale and optionally bias.
public struct LayerNormalization: Op {
  public var kind: String { "LayerNormalization" }
  public var axis: Int
  public var epsilon: Float

  public init(axis: Int = -1, epsilon: Float = 1e-5) {
    self.axis = axis
    self.epsilon = epsilon
  }
}

/// Normalization of each channel of each sample over its spatial axes; inputs X, scale, bias.
public struct InstanceNormalization: Op {
  public var kind: String { "InstanceNormalization" }
  public var epsilon: Float

  public init(epsilon: Float = 1e-5) { self.epsilon = epsilon }
}

/// Division by a power of the sum of squares over neighbouring channels.
public struct LocalResponseNormalization: Op {
  public var kind: String { "LRN" }
  public var size: Int
  public var alpha: Float
  public var beta: Float
  public var bias: Float

  public init(size: Int, alpha: Float = 1e-4, beta: Float = 0.75, bias: Float = 1) {
    self.size = size
    self.alpha = alpha
    self.beta = beta
    self.bias = bias
  }
}

/// Exponentials that sum to one along an axis, or their logarithms.
public struct Softmax: Op {
  public var kind: String { isLogarithm ? "LogSoftmax" : "Softmax" }
  public var axis: Int
  public var isLogarithm: Bool
  /// Whether all axes from `axis` on are normalized together, as before operator set 13.
  public var flattensTrailingAxes: Bool

  public init(axis: Int = -1, isLogarithm: Bool = false, flattensTrailingAxes: Bool = false) {
    self.axis = axis
    self.isLogarithm = isLogarithm
    self.flattensTrailingAxes = flattensTrailingAxes
  }
}
