// SPDX-License-Identifier: Apache-2.0

/// A positive real factor as a 31-bit fraction and a shift, applied to integers by integers only.
///
/// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
/// Integer-Arithmetic-Only Inference", 2018, equations 5 and 6, with the rounding of gemmlowp:
/// a saturating rounding doubling high product, then a shift that rounds half away from zero.
public struct FixedPointMultiplier: Sendable, Equatable {
  /// The factor's fraction in 0.5..<1 times 2³¹; 0 for the factor 0.
  public let fraction: Int32

  /// How far the product is shifted to the right; negative for factors of 1 and more.
  public let rightShift: Int

  /// The nearest such factor to `real`, which must be finite and not negative.
  public init(_ real: Double) {
    precondition(real >= 0 && real.isFinite, "a multiplier is finite and not negative")
    guard real > 0x1p-62 else {
      fraction = 0
      rightShift = 0
      return
    }
    var exponent = Int(real.exponent) + 1
    var mantissa = (real.significand / 2 * 0x1p31).rounded(.toNearestOrAwayFromZero)
    if mantissa == 0x1p31 {
      mantissa /= 2
      exponent += 1
    }
    fraction = Int32(mantissa)
    rightShift = -exponent
  }

  /// `value` times the factor, rounded, saturated to 32 bits.
  public func applied(to value: Int32) -> Int32 {
    let left = max(-rightShift, 0)
    let widened = Int64(value) << Int64(min(left, 31))
    let shifted = Int32(clamping: widened)
    let high = FixedPointMultiplier.saturatingRoundingDoublingHighProduct(shifted, fraction)
    return FixedPointMultiplier.roundingRightShift(high, by: max(rightShift, 0))
  }

  /// `round(a · b / 2³¹)`, ties away from zero towards the nudge of gemmlowp; saturates for
  /// `a = b = −2³¹`.
  public static func saturatingRoundingDoublingHighProduct(_ a: Int32, _ b: Int32) -> Int32 {
    if a == .min && b == .min { return .max }
    let product = Int64(a) * Int64(b)
    let nudge: Int64 = product >= 0 ? 1 << 30 : 1 - (1 << 30)
    return Int32(truncatingIfNeeded: (product + nudge) / (1 << 31))
  }

  /// `value / 2^shift`, rounded half away from zero.
  public static func roundingRightShift(_ value: Int32, by shift: Int) -> Int32 {
    guard shift > 0 else { return value }
    guard shift < 32 else { return 0 }
    let wide = Int64(value)
    let mask: Int64 = (1 << Int64(shift)) - 1
    let threshold = (mask >> 1) + (wide < 0 ? 1 : 0)
    return Int32((wide >> Int64(shift)) + ((wide & mask) > threshold ? 1 : 0))
  }
}
