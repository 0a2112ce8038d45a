// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import Foundation
import Quantization
import TensorCore
import Testing

@Suite("Range estimators")
struct RangeEstimatorTests {
  @Test("The divergences of the 16-bin example have their minimum at 12 bins")
  func entropyOfExample() {
    let counts: [UInt64] = [100, 80, 60, 50, 40, 30, 20, 15, 10, 8, 5, 3, 2, 1, 0, 1]
    let divergences = EntropyRange.divergences(counts: counts, groups: 4)
    let expected = [0: 0.192168, 4: 0.037467, 7: 0.019912, 8: 0.017067, 9: 0.02493, 12: 0.036312]
    for (position, divergence) in expected {
      #expect(abs(divergences[position] - divergence) < 1e-5)
    }
    #expect(divergences[11] == .infinity)
    #expect(EntropyRange.best(divergences).map { Double($0 + 4) * 0.25 } == 3)
  }

  @Test("The percentiles of the 16-bin example")
  func percentileOfExample() {
    let counts: [UInt64] = [80, 80, 60, 50, 40, 30, 20, 15, 10, 8, 5, 3, 2, 1, 0, 1]
    #expect(PercentileRange.threshold(counts: counts, width: 0.25, fraction: 0.99) == 2.75)
    #expect(PercentileRange.threshold(counts: counts, width: 0.25, fraction: 0.999) == 3.75)
  }

  @Test("An exponential histogram of 2048 bins is cut at 691 bins")
  func entropyOfExponential() {
    var counts = (0..<2048).map { UInt64(1e5 * exp(-Double($0) / 64)) }
    counts[2047] = 5
    let divergences = EntropyRange.divergences(counts: counts, groups: 128)
    #expect(EntropyRange.best(divergences).map { $0 + 128 } == 691)
    #expect(abs(divergences[691 - 128] - 3.10200e-4) < 1e-8)
    #expect(abs(divergences[667 - 128] - 3.1033e-4) < 1e-8)
    #expect(abs(divergences[0] - 0.427278) < 1e-5)
    #expect(abs(divergences[2048 - 128] - 0.002565) < 1e-5)
    #expect(Double(691) * 8 / 2048 == 2.69921875)
  }

  @Test("A Gaussian histogram of 2048 bins is cut at 988 bins")
  func entropyOfGaussian() {
    let counts = (0..<2048).map { UInt64(1e5 * exp(-pow(Double($0) / 300, 2))) }
    let divergences = EntropyRange.divergences(counts: counts, groups: 128)
    #expect(EntropyRange.best(divergences).map { $0 + 128 } == 988)
    #expect(abs(divergences[988 - 128] - 5.69207e-5) < 1e-9)
    #expect(abs(divergences[987 - 128] - 5.6943e-5) < 1e-8)
  }

  @Test("Moving averages start from the first sample: 1.0, 1.01, 1.0199, 1.049701")
  func movingAverage() {
    var statistics = ValueStatistics(momentum: 0.99)
    for (value, expected) in [(1, 1), (2, 1.01), (2, 1.0199), (4, 1.049701)] as [(Float, Double)] {
      statistics.add(Tensor([value, 0] as [Float], shape: [1, 2]))
      #expect(abs(statistics.averageMaximum - expected) < 1e-9)
      #expect(
        MovingAverageRange().range(of: statistics, for: RangeRequest()).upperBound
          == statistics.averageMaximum)
    }
  }

  static let names = RangeEstimators.registry.names
  static let distributions = ["nonnegative", "signed", "lopsided", "constant", "zeros", "negative"]

  @Test(
    "Every estimator's range contains zero, lies within the values, and gives a good code",
    arguments: names, distributions)
  func laws(name: String, distribution: String) throws {
    let estimator = try #require(RangeEstimators.registry.method(named: name))
    let statistics = Self.statistics(of: distribution)
    for isSymmetric in [false, true] {
      for codeCount in [256, 65536] {
        let request = RangeRequest(codeCount: codeCount, isSymmetric: isSymmetric)
        let range = estimator.range(of: statistics, for: request)
        #expect(range.contains(0))
        #expect(range.lowerBound >= min(Double(statistics.minimum), 0) - 1e-6)
        #expect(range.upperBound <= max(Double(statistics.maximum), 0) + 1e-6)
        let code = AffineCode.affine(
          from: range.lowerBound, to: range.upperBound, codes: 0...Int32(codeCount - 1))
        #expect(code.scale > 0)
        #expect(code.rounded(0) == 0)
        for step in 0...64 {
          let real = Float(
            range.lowerBound + (range.upperBound - range.lowerBound) * Double(step) / 64)
          // Half a step, and the rounding of value and scale in Float.
          #expect(abs(code.rounded(real) - real) <= code.scale * 0.51)
          #expect(code.rounded(code.rounded(real)) == code.rounded(real))
        }
      }
    }
  }

  @Test("Estimators give the same answer every time", arguments: names)
  func determinism(name: String) throws {
    let estimator = try #require(RangeEstimators.registry.method(named: name))
    let first = estimator.range(of: Self.statistics(of: "signed"), for: RangeRequest())
    #expect(estimator.range(of: Self.statistics(of: "signed"), for: RangeRequest()) == first)
  }

  @Test("Long tails are clipped: by the percentile, and where it pays by the squared error")
  func tails() {
    var random = RandomSource(seed: 3)
    let values = (0..<100_000).map { _ in Float(-log(1 - random.nextUniform())) }
    var statistics = ValueStatistics()
    // As many samples as make every element count in the histogram.
    statistics.add(Tensor(values, shape: [100, 1000]))
    let request = RangeRequest()
    let greatest = Double(statistics.maximum)
    #expect(MinimumMaximumRange().range(of: statistics, for: request).upperBound == greatest)
    // One in a thousand lies above ln 1000 = 6.91; a hundred samples scatter by a tenth.
    let percentile = PercentileRange().range(
      of: statistics, for: RangeRequest(percentile: 0.999)
    ).upperBound
    #expect(abs(percentile - 6.91) < 0.5)
    let cut = MeanSquaredErrorRange().range(of: statistics, for: request).upperBound
    #expect(cut < greatest && cut > 6)
  }

  static func statistics(of distribution: String) -> ValueStatistics {
    var random = RandomSource(seed: 11)
    var statistics = ValueStatistics()
    for _ in 0..<4 {
      let values = (0..<4096).map { _ -> Float in
        let uniform = Float(random.nextUniform()) * 2 - 1
        return switch distribution {
        case "nonnegative": max(uniform, 0) * 6
        case "signed": uniform * uniform * uniform * 5
        case "lopsided": uniform < -0.9 ? -0.4 : uniform * uniform * 38
        case "constant": 2.5
        case "negative": -uniform * uniform
        default: 0
        }
      }
      statistics.add(Tensor(values, shape: [4, 1024]))
    }
    return statistics
  }
}
