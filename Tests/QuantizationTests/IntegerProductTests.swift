// SPDX-License-Identifier: Apache-2.0
import Quantization
import TensorCore
import Testing

@Suite("Arithmetic in integers only")
struct IntegerProductTests {
  @Test("The factor 0.002 is 1099511628 · 2⁻³¹ · 2⁻⁸")
  func multiplier() {
    let factor = FixedPointMultiplier(0.02 * 0.005 / 0.05)
    #expect(factor.fraction == 1_099_511_628)
    #expect(factor.rightShift == 8)
  }

  @Test(
    "High products and shifts round as in the worked example",
    arguments: [
      (12345, 6321, 25), (-12345, -6321, -25), (500, 256, 1), (-500, -256, -1), (750, 384, 2),
      (-750, -384, -2), (1_000_000, 512_000, 2000),
    ] as [(Int32, Int32, Int32)])
  func requantization(sum: Int32, high: Int32, code: Int32) {
    let factor = FixedPointMultiplier(0.002)
    let product = FixedPointMultiplier.saturatingRoundingDoublingHighProduct(sum, factor.fraction)
    #expect(product == high)
    #expect(FixedPointMultiplier.roundingRightShift(product, by: 8) == code)
    #expect(factor.applied(to: sum) == code)
  }

  @Test("The product of the two least integers saturates")
  func saturation() {
    #expect(
      FixedPointMultiplier.saturatingRoundingDoublingHighProduct(.min, .min) == .max)
  }

  @Test("A factor that rounds up to 1 is halved, and factors above 1 shift to the left")
  func extremes() {
    let nearOne = FixedPointMultiplier(1 - 0x1p-40)
    #expect(nearOne.fraction == 1 << 30)
    #expect(nearOne.rightShift == -1)
    #expect(nearOne.applied(to: 12345) == 12345)
    #expect(FixedPointMultiplier(3.5).applied(to: 100) == 350)
    #expect(FixedPointMultiplier(0).applied(to: 100) == 0)
  }

  @Test("The dot product of the worked example is −2248, and its code 6")
  func dotProduct() {
    let left = CodeMatrix([130, 200, 90], rows: 1, columns: 3, zeroPoint: 128)
    let right = CodeMatrix([100, 121, 180], rows: 3, columns: 1, zeroPoint: 120)
    #expect(IntegerProduct.accumulators(left, right) == [-2248])
    let output = Requantization(
      multipliers: [FixedPointMultiplier(0.002)], zeroPoint: 10, codes: 0...255)
    #expect(IntegerProduct.product(left, right, bias: [], output: output) == [6])
  }

  @Test("Random products equal those of 128-bit integers to the last bit", arguments: 0..<8)
  func products(seed: Int) {
    var random = RandomSource(seed: UInt64(seed))
    let (m, k, n) = (3 + seed, 17 + seed, 5)
    let left = randomMatrix(m, k, &random)
    let right = randomMatrix(k, n, &random)
    let bias = (0..<n).map { _ in Int32(random.nextIndex(below: 200_000)) - 100_000 }
    let real = 0.0001 + random.nextUniform() * 0.01
    let output = Requantization(
      multipliers: (0..<n).map { FixedPointMultiplier(real * Double($0 + 1)) },
      zeroPoint: 100, codes: 0...255)
    var expected: [Int32] = []
    for row in 0..<m {
      for column in 0..<n {
        var sum = Int128(bias[column])
        for inner in 0..<k {
          sum +=
            Int128(left.codes[row * k + inner] - left.zeroPoint)
            * Int128(right.codes[inner * n + column] - right.zeroPoint)
        }
        expected.append(wideCode(sum, output.multipliers[column], zeroPoint: 100))
      }
    }
    #expect(IntegerProduct.product(left, right, bias: bias, output: output) == expected)
  }

  @Test("A padded, strided, grouped convolution equals wide integers to the last bit")
  func convolution() {
    var random = RandomSource(seed: 7)
    let geometry = ConvolutionGeometry(
      input: (4, 7, 6), kernel: (6, 3, 2), stride: (2, 1), padding: (1, 0, 1, 1), group: 2)
    let input = randomMatrix(4, 42, &random)
    let weights = randomMatrix(6, 2 * 6, &random)
    let output = Requantization(
      multipliers: (1...6).map { FixedPointMultiplier(0.0013 * Double($0)) }, zeroPoint: 31,
      codes: 31...255)
    let bias: [Int32] = [5, -700, 40_000, 0, 1, -1]
    var expected: [Int32] = []
    for channel in 0..<6 {
      for row in 0..<geometry.outputHeight {
        for column in 0..<geometry.outputWidth {
          var sum = Int128(bias[channel])
          for inner in 0..<2 {
            for tap in 0..<6 {
              let (y, x) = (row * 2 + tap / 2 - 1, column + tap % 2)
              guard y >= 0, y < 7, x >= 0, x < 6 else { continue }
              let code = input.codes[(channel / 3 * 2 + inner) * 42 + y * 6 + x]
              let weight = weights.codes[channel * 12 + inner * 6 + tap]
              sum += Int128(code - input.zeroPoint) * Int128(weight - weights.zeroPoint)
            }
          }
          expected.append(
            max(31, wideCode(sum, output.multipliers[channel], zeroPoint: 31)))
        }
      }
    }
    #expect(
      IntegerProduct.convolution(input, weights, bias: bias, geometry: geometry, output: output)
        == expected)
  }

  private func randomMatrix(
    _ rows: Int, _ columns: Int, _ random: inout RandomSource
  ) -> CodeMatrix {
    CodeMatrix(
      (0..<(rows * columns)).map { _ in Int32(random.nextIndex(below: 256)) }, rows: rows,
      columns: columns, zeroPoint: Int32(random.nextIndex(below: 256)))
  }

  /// Rounding of the doubled high product (half up in magnitude), then half away from zero.
  private func wideCode(
    _ sum: Int128, _ factor: FixedPointMultiplier, zeroPoint: Int128
  ) -> Int32 {
    let product = sum * Int128(factor.fraction)
    let nudge: Int128 = product >= 0 ? 1 << 30 : 1 - (1 << 30)
    let high = (product + nudge) / (1 << 31)
    let half: Int128 = factor.rightShift > 0 ? 1 << Int128(factor.rightShift - 1) : 0
    let magnitude = (high.magnitude + half.magnitude) >> UInt128(factor.rightShift)
    let code = (high < 0 ? -Int128(magnitude) : Int128(magnitude)) + zeroPoint
    return Int32(min(max(code, 0), 255))
  }
}
