// SPDX-License-Identifier: Apache-2.0

/// Maps an interval of magnitudes to 0…1 and rounds to levels; inputs x, the interval's centre c
/// and half-width d, and optionally an exponent γ; output y.
///
/// `t = clamp((m − c) / (2 d) + ½, 0, 1)` of the magnitude `m = |x|`, or of `m = x` where values
/// have no sign; `y = round(t^γ · levels) / levels`, ties to even, with the sign of x. Magnitudes
/// below `c − d` become 0, those beyond `c + d` become 1.
///
/// Source: Jung et al., "Learning to Quantize Deep Networks by Optimizing Quantization Intervals
/// with Task Loss", 2019, Eq. 3 to 5.
public struct IntervalQuantize: Op {
  public var kind: String { "IntervalQuantize" }
  public var domain: String { "swiftlet.internal" }

  /// Codes above 0.
  public var levels: Int

  /// Whether the sign is kept.
  public var isSigned: Bool

  /// Factor on the gradients of c, d and γ.
  public var gradientScale: Float

  public init(levels: Int, isSigned: Bool, gradientScale: Float = 1) {
    self.levels = levels
    self.isSigned = isSigned
    self.gradientScale = gradientScale
  }

  /// The interval of one node.
  public struct Interval: Sendable {
    let centre: Float
    let halfWidth: Float
    let exponent: Float

    /// A half-width that is no positive number is taken as `FakeQuantize.leastStep`.
    public init(centre: Float, halfWidth: Float, exponent: Float = 1) {
      self.centre = centre
      self.halfWidth = FakeQuantize.usableStep(halfWidth)
      self.exponent = exponent
    }
  }

  /// The code of a value, with its sign.
  @inline(__always)
  public func code(of x: Float, _ interval: Interval) -> Float {
    let t = share(of: x, interval)
    guard t > 0 else { return 0 }
    let power = interval.exponent == 1 ? t : power(t, interval.exponent)
    let code = (min(power, 1) * Float(levels)).rounded(.toNearestOrEven)
    return isSigned && x < 0 ? -code : code
  }

  /// Where a magnitude lies in the interval, in 0…1.
  @inline(__always)
  func share(of x: Float, _ interval: Interval) -> Float {
    let magnitude = isSigned ? abs(x) : x
    let t = (magnitude - interval.centre) / (2 * interval.halfWidth) + 0.5
    return t > 0 ? min(t, 1) : 0
  }
}

/// The gradients of `IntervalQuantize`, straight through the rounding; inputs dY, x, c, d and
/// optionally γ; outputs dX and, where they are asked for, the gradients of c, d and γ.
///
/// Beyond the interval all are 0.
public struct IntervalQuantizeGradient: Op {
  public var kind: String { "IntervalQuantizeGradient" }
  public var domain: String { "swiftlet.internal" }
  public var quantization: IntervalQuantize

  public init(of quantization: IntervalQuantize) { self.quantization = quantization }
}
