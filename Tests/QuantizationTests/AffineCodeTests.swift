// SPDX-License-Identifier: Apache-2.0
import Quantization
import TensorCore
import Testing

@Suite("Affine codes")
struct AffineCodeTests {
  private let example = AffineCode.affine(from: -3, to: 6, codes: -127...127)

  @Test("The range −3…6 on 255 levels has the scale 9/254 and the zero point −42")
  func parameters() {
    #expect(abs(example.scale - 9 / 254) < 1e-7)
    #expect(example.zeroPoint == -42)
  }

  @Test(
    "Values of the worked example have these codes and come back as these values",
    arguments: [
      (-3, -127, -3.011811), (-1, -70, -0.992126), (0, -42, 0), (0.5, -28, 0.496063),
      (1.5, 0, 1.488189), (4, 71, 4.003937), (6, 127, 5.988189), (7, 127, 5.988189),
    ] as [(Float, Int32, Float)])
  func codes(real: Float, code: Int32, back: Float) {
    #expect(example.code(of: real) == code)
    #expect(abs(example.real(of: code) - back) < 1e-5)
  }

  @Test(
    "The symmetric codes of the same range",
    arguments: [
      (-3, -64), (-1, -21), (0, 0), (0.5, 11), (1.5, 32), (4, 85), (6, 127), (7, 127),
    ] as [(Float, Int32)])
  func symmetricCodes(real: Float, code: Int32) {
    let symmetric = AffineCode.symmetric(magnitude: 6, codes: -127...127)
    #expect(abs(symmetric.scale - 0.0472441) < 1e-6)
    #expect(symmetric.code(of: real) == code)
  }

  @Test(
    "The range −1…2 in unsigned codes",
    arguments: [
      (-1.2, 0), (-1, 0), (-0.31, 59), (0, 85), (0.71, 145), (2, 255), (2.5, 255),
    ] as [(Float, Int32)])
  func unsignedCodes(real: Float, code: Int32) {
    let unsigned = AffineCode.affine(from: -1, to: 2, codes: 0...255)
    #expect(abs(unsigned.scale - 0.01176471) < 1e-7)
    #expect(unsigned.zeroPoint == 85)
    #expect(unsigned.code(of: real) == code)
  }

  @Test(
    "Every value within the range is at most half a step from its code, and zero is exact",
    arguments: [(-3, 6), (0, 1), (-1, 0), (-0.001, 900), (2, 5), (-7, -6)] as [(Double, Double)])
  func error(minimum: Double, maximum: Double) {
    let code = AffineCode.affine(from: minimum, to: maximum, codes: 0...255)
    // Half a step, and the rounding of scale and product in Float.
    let bound = code.scale * 0.5001
    for step in 0...1000 {
      let low = Float(min(minimum, 0))
      let real = low + (Float(max(maximum, 0)) - low) * Float(step) / 1000
      #expect(abs(code.rounded(real) - real) <= bound)
      #expect(code.rounded(code.rounded(real)) == code.rounded(real))
    }
    #expect(code.rounded(0) == 0)
  }

  @Test("A range of zeros has the scale 1, and a constant gets a range down to zero")
  func degenerate() {
    #expect(AffineCode.affine(from: 0, to: 0, codes: 0...255).scale == 1)
    #expect(AffineCode.symmetric(magnitude: 0, codes: -127...127).scale == 1)
    #expect(abs(AffineCode.affine(from: 5, to: 5, codes: 0...255).scale - 5 / 255) < 1e-7)
  }

  @Test("On the range −1…1 no pixel is near a tie, and both ends have a code")
  func pixels() {
    let code = AffineCode.withoutTies(from: -1, to: 1, codes: 0...255)
    #expect(code.reals.contains(-1) && code.reals.contains(1))
    for pixel in 0...255 {
      let steps = (Double(pixel) / 127.5 - 1) / Double(code.scale)
      #expect(abs(steps - steps.rounded(.down) - 0.5) > 0.0019)
    }
  }

  @Test(
    "Other ranges have the steps that they always have",
    arguments: [-3...6, -1...2, 0...6, -2...0, 0...0, -2.118...2.64] as [ClosedRange<Double>])
  func usualSteps(range: ClosedRange<Double>) {
    let (least, greatest) = (range.lowerBound, range.upperBound)
    #expect(
      AffineCode.withoutTies(from: least, to: greatest, codes: 0...255)
        == AffineCode.affine(from: least, to: greatest, codes: 0...255))
  }

  @Test("NaN becomes the zero point, infinities the outermost codes")
  func notFinite() {
    #expect(example.code(of: .nan) == -42)
    #expect(example.code(of: .infinity) == 127)
    #expect(example.code(of: -.infinity) == -127)
  }

  @Test("The range 0…6 stays within 6 in single precision")
  func withinClip() {
    let code = AffineCode.affine(from: 0, to: 6, codes: 0...255)
    #expect(code.reals.upperBound <= 6)
    #expect(code.zeroPoint == 0)
  }
}
