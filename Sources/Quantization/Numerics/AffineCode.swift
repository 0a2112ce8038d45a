// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// One scale and zero point: `real = scale · (code − zeroPoint)`, codes kept within `codes`.
///
/// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
/// Integer-Arithmetic-Only Inference", 2018, equation 1; zero is always a code of its own.
public struct AffineCode: Sendable, Equatable {
  /// Real units per step; positive and finite.
  public let scale: Float

  /// The code of real zero.
  public let zeroPoint: Int32

  /// The least and the greatest code in use.
  public let codes: ClosedRange<Int32>

  public init(scale: Float, zeroPoint: Int32, codes: ClosedRange<Int32>) {
    precondition(scale > 0 && scale.isFinite, "a scale is positive and finite")
    precondition(codes.contains(zeroPoint), "the zero point is one of the codes")
    self.scale = scale
    self.zeroPoint = zeroPoint
    self.codes = codes
  }

  /// The map of a real range onto all codes.
  ///
  /// Source: as the type; `S = (max − min) / (codes − 1)`, `Z = round(least code − min / S)`.
  ///
  /// - Parameters:
  ///   - minimum: Least real value to represent; widened to contain zero.
  ///   - maximum: Greatest real value to represent; widened to contain zero.
  ///   - codes: Least and greatest code, at least two.
  ///
  /// An empty range around zero gives scale 1. Every value within the range is at most half a
  /// step from the real value of its code. Ranges that are not finite are cut to the greatest
  /// `Float`.
  public static func affine(
    from minimum: Double, to maximum: Double, codes: ClosedRange<Int32>
  ) -> AffineCode {
    let least = max(min(minimum, 0), -Double(Float.greatestFiniteMagnitude))
    let greatest = min(max(maximum, 0), Double(Float.greatestFiniteMagnitude))
    let steps = Double(codes.upperBound) - Double(codes.lowerBound)
    guard let scale = AffineCode.usableScale((greatest - least) / steps) else {
      return AffineCode(scale: 1, zeroPoint: codes.clamped(0), codes: codes)
    }
    let zero = (Double(codes.lowerBound) - least / Double(scale)).rounded(.toNearestOrEven)
    let code = AffineCode(scale: scale, zeroPoint: codes.clamped(zero), codes: codes)
    guard least == 0, code.reals.upperBound > Float(greatest) else { return code }
    // Within the range in Float too, so that other runtimes see that a clip does nothing more.
    return AffineCode(scale: scale.nextDown, zeroPoint: code.zeroPoint, codes: codes)
  }

  /// The map of a real range onto all codes, of a slightly larger step where zero would fall
  /// midway between two codes.
  ///
  /// There every multiple of the step is a tie: a pixel `p / 127.5 − 1` on the range −1…1 is
  /// `p − 127.5` steps, and the last bit of its float decides its code. Here both ends keep a code
  /// of their own, and pixels are off the ties.
  public static func withoutTies(
    from minimum: Double, to maximum: Double, codes: ClosedRange<Int32>
  ) -> AffineCode {
    let code = AffineCode.affine(from: minimum, to: maximum, codes: codes)
    guard minimum < 0, maximum > 0 else { return code }
    let zero = -minimum / Double(code.scale)
    guard abs(zero - zero.rounded(.down) - 0.5) < 0.01 else { return code }
    let below = Double(code.zeroPoint) - Double(codes.lowerBound)
    let above = Double(codes.upperBound) - Double(code.zeroPoint)
    guard below > 0, above > 0 else { return code }
    guard let scale = usableScale(max(-minimum / below, maximum / above)) else { return code }
    return AffineCode(scale: scale, zeroPoint: code.zeroPoint, codes: codes)
  }

  /// The map with zero point 0 that reaches `magnitude` on both sides: `S = magnitude / max code`.
  ///
  /// - Parameters:
  ///   - magnitude: Greatest absolute value to represent; 0 gives scale 1.
  ///   - codes: A range that contains 0, such as −127…127 (restricted) or −128…127.
  public static func symmetric(magnitude: Double, codes: ClosedRange<Int32>) -> AffineCode {
    let bound = min(abs(magnitude), Double(Float.greatestFiniteMagnitude))
    let scale = AffineCode.usableScale(bound / Double(codes.upperBound))
    return AffineCode(scale: scale ?? 1, zeroPoint: 0, codes: codes)
  }

  /// The code nearest to a value, ties to even, saturated; the zero point for NaN.
  public func code(of real: Float) -> Int32 {
    codes.clamped((real / scale).rounded(.toNearestOrEven), offset: zeroPoint)
  }

  /// The value that a code stands for.
  public func real(of code: Int32) -> Float { Float(code - zeroPoint) * scale }

  /// The value nearest to `real` that has a code: quantized and back.
  public func rounded(_ real: Float) -> Float { self.real(of: code(of: real)) }

  /// The values of the least and the greatest code.
  public var reals: ClosedRange<Float> { real(of: codes.lowerBound)...real(of: codes.upperBound) }

  private static func usableScale(_ scale: Double) -> Float? {
    let narrow = Float(scale)
    return narrow.isFinite && narrow >= Float.leastNormalMagnitude ? narrow : nil
  }
}

extension ClosedRange<Int32> {
  /// All codes of an integer type of at most 32 bits.
  public init(allOf type: ElementType) {
    let range = type.integerRange ?? 0...0
    self = Int32(clamping: range.lowerBound)...Int32(clamping: range.upperBound)
  }

  /// The codes of a type that stand for symmetric values: −127…127 for `int8`.
  public init(symmetricOf type: ElementType) {
    let all = ClosedRange<Int32>(allOf: type)
    self = type.isSignedInteger ? -all.upperBound...all.upperBound : all
  }

  func clamped(_ code: Double) -> Int32 {
    guard !code.isNaN else { return Swift.max(lowerBound, Swift.min(upperBound, 0)) }
    return Int32(Swift.min(Swift.max(code, Double(lowerBound)), Double(upperBound)))
  }

  func clamped(_ step: Float, offset: Int32) -> Int32 {
    guard !step.isNaN else { return offset }
    return clamped(Double(step) + Double(offset))
  }
}
