// SPDX-License-Identifier: Apache-2.0
import Quantization
import TensorCore
import Testing

@Suite("Ratios of scales")
struct RequantizationRatioTests {
  /// Input and output scales and weight scales of layers, from coarse to fine ratios.
  private static let cases: [(Float, Float, Float)] = [
    (0.0235, 0.0235, 0.0031), (0.0078125, 0.0235, 0.02), (0.11, 0.0019, 0.07), (0.5, 0.5, 0.001),
    (0.0235, 0.09, 0.00091), (1, 1, 1), (3, 0.01, 5), (0.013, 0.21, 0.004),
  ]

  @Test("A scale grows by 0.4 % at most", arguments: cases)
  func growth(input: Float, output: Float, weight: Float) {
    let scale = RequantizationRatio.weightScale(atLeast: weight, input: input, output: output)
    #expect(scale >= weight && scale <= weight * 1.004)
  }

  @Test(
    "No sum is near the middle between two codes, in whichever order runtimes round",
    arguments: cases)
  func middles(input: Float, output: Float, weight: Float) {
    let scale = RequantizationRatio.weightScale(atLeast: weight, input: input, output: output)
    let ratio = Double(input) * Double(scale) / Double(output)
    var random = RandomSource(seed: 5)
    let bound = Int(min(256 / ratio, 1e6))
    var nearest = 1.0
    for _ in 0..<20_000 {
      let sum = random.nextIndex(below: 2 * bound + 1) - bound
      let bias = random.nextIndex(below: bound + 1)
      let real = Double(sum + bias) * ratio
      nearest = min(nearest, abs(real - real.rounded(.down) - 0.5))
      let factor = input * scale / output
      let together = (Float(sum + bias) * factor).rounded(.toNearestOrEven)
      let apart = (Float(sum) * factor + Float(bias) * factor).rounded(.toNearestOrEven)
      let divided = (Float(sum + bias) * (input * scale) / output).rounded(.toNearestOrEven)
      #expect(together == apart && together == divided)
    }
    #expect(nearest > 1e-4)
  }

  @Test("Scales that no ratio can be made of stay")
  func extremes() {
    for scale in [Float.leastNonzeroMagnitude, .greatestFiniteMagnitude] {
      #expect(RequantizationRatio.weightScale(atLeast: scale, input: 1, output: 1e-30) >= scale)
    }
    #expect(RequantizationRatio.weightScale(atLeast: 1e-30, input: 1e-30, output: 1) == 1e-30)
  }
}
