// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// A function of one element, applied to each element of the input.
public struct Unary: Op {
  public enum Function: Sendable, Equatable {
    case abs, acos, acosh, asin, asinh, atan, atanh, bitwiseNot, ceil
    case celu(alpha: Float), cos, cosh
    case elu(alpha: Float), erf, exp, floor
    case gelu(tanhApproximation: Bool)
    case hardSigmoid(alpha: Float, beta: Float), hardSwish
    case isInfinity(detectsNegative: Bool, detectsPositive: Bool), isNaN
    case leakyRelu(alpha: Float), log, mish, negate, not, reciprocal, relu, round
    case selu(alpha: Float, gamma: Float), shrink(bias: Float, lambda: Float)
    case sigmoid, sign, sin, sinh, softplus, softsign, sqrt
    case swish(alpha: Float), tan, tanh, thresholdedRelu(alpha: Float)
  }
  public var function: Function

  public init(_ function: Function) { self.function = function }
}

/// Clamps each element; inputs X, then optionally the least and the greatest value as scalars.
public struct Clip: Op {
  public var kind: String { "Clip" }
  public init() {}
}

/// A function of two elements, the shapes broadcast to each other.
public struct Binary: Op {
  public enum Function: Sendable, Equatable {
    case add, subtract, multiply, divide, power, prelu
    /// Remainder with the divisor's sign, or C's `fmod`.
    case modulo(isFmod: Bool)
    case equal, less, lessOrEqual, greater, greaterOrEqual
    case and, or, xor, bitwiseAnd, bitwiseOr, bitwiseXor
    case shiftLeft, shiftRight
  }
  public var function: Function

  public init(_ function: Function) { self.function = function }
}

/// A reduction over any number of inputs, the shapes broadcast to each other.
public struct Variadic: Op {
  public enum Function: String, Sendable {
    case sum = "Sum", mean = "Mean", minimum = "Min", maximum = "Max"
  }
  public var kind: String { function.rawValue }
  public var function: Function

  public init(_ function: Function) { self.function = function }
}

/// Elements of the second input where the first is true, of the third elsewhere; broadcast.
public struct Where: Op {
  public var kind: String { "Where" }
  public init() {}
}

/// Conversion of the element type.
public struct Cast: Op {
  public var kind: String { "Cast" }
  public var target: ElementType

  public init(to target: ElementType) { self.target = target }
}

/// The input, unchanged.
public struct Identity: Op {
  public var kind: String { "Identity" }
  public init() {}
}

/// The input unchanged in inference; a second output, if there, is an all-true mask.
///
/// A second input, the ratio of elements that training zeroes, is 0.5 where it is left out.
public struct Dropout: Op {
  public var kind: String { "Dropout" }
  public init() {}
}
