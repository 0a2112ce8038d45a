// SPDX-License-Identifier: Apache-2.0

/// The gradient of `Unary`: dY times the function's derivative at X; inputs dY, X; output dX.
public struct UnaryGradient: Op {
  public var kind: String { "UnaryGradient" }
  public var domain: String { "swiftlet.internal" }
  public var function: Unary.Function

  public init(of function: Unary.Function) { self.function = function }
}

/// The gradient of `Clip` with respect to its data: dY where X lies strictly between the bounds,
/// else 0; inputs dY, X; output dX.
public struct ClipGradient: Op {
  public var kind: String { "ClipGradient" }
  public var domain: String { "swiftlet.internal" }
  public var lower: Float
  public var upper: Float

  public init(lower: Float, upper: Float) {
    self.lower = lower
    self.upper = upper
  }
}

/// The gradient of `Softmax`; inputs dY, Y; output dX.
public struct SoftmaxGradient: Op {
  public var kind: String { "SoftmaxGradient" }
  public var domain: String { "swiftlet.internal" }
  public var axis: Int
  public var isLogarithm: Bool

  public init(axis: Int, isLogarithm: Bool) {
    self.axis = axis
    self.isLogarithm = isLogarithm
  }
}

/// The gradients of `LayerNormalization`; inputs dY, X, scale; outputs dX, d scale, d bias.
public struct LayerNormalizationGradient: Op {
  public var kind: String { "LayerNormalizationGradient" }
  public var domain: String { "swiftlet.internal" }
  public var axis: Int
  public var epsilon: Float

  public init(axis: Int, epsilon: Float) {
    self.axis = axis
    self.epsilon = epsilon
  }
}

/// The gradient of `Slice` with known cuts: dY laid into zeros; input dY; output dX.
public struct SliceGradient: Op {
  public var kind: String { "SliceGradient" }
  public var domain: String { "swiftlet.internal" }
  public var axes: [Int]
  public var starts: [Int]
  public var steps: [Int]
  /// Extents of the slice's input along `axes`.
  public var extents: [Int]

  public init(axes: [Int], starts: [Int], steps: [Int], extents: [Int]) {
    self.axes = axes
    self.starts = starts
    self.steps = steps
    self.extents = extents
  }
}

/// A sum over the axes along which the second input was broadcast; inputs dY, and the operand whose
/// shape the output has (only its shape is used).
public struct SumToShape: Op {
  public var kind: String { "SumToShape" }
  public var domain: String { "swiftlet.internal" }
  public init() {}
}
