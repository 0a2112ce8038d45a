// SPDX-License-Identifier: Apache-2.0
import Foundation
import TensorCore

/// Sources of random numbers for one purpose each, by counting: nothing depends on what was drawn
/// before.
enum SampleRandom {
  enum Purpose: Int64 {
    case order = 1
    case augmentation
    case mixing
    case division
    case drawing
  }

  /// The source for `index` in `epoch`.
  static func source(
    seed: UInt64, _ purpose: Purpose, epoch: Int = 0, index: Int = 0
  ) -> RandomSource {
    let stream = CounterRandom(stream: seed, step: purpose.rawValue).seed
    return RandomSource(seed: CounterRandom(stream: stream, step: Int64(epoch)).bits(at: index))
  }
}

extension RandomSource {
  /// A value spread evenly from the first to the last of `range`.
  mutating func nextUniform(in range: [Double]) -> Double {
    guard let first = range.first, let last = range.last else { return 0 }
    return first + (last - first) * nextUniform()
  }

  /// A value of the standard normal distribution.
  ///
  /// Source: Box, Muller, "A Note on the Generation of Random Normal Deviates", 1958.
  mutating func nextNormal() -> Double {
    let radius = (-2 * log(1 - nextUniform())).squareRoot()
    return radius * cos(2 * .pi * nextUniform())
  }

  /// A value of the beta distribution with both parameters `alpha`, which must be above 0.
  mutating func nextBeta(_ alpha: Double) -> Double {
    let first = nextGamma(alpha)
    let second = nextGamma(alpha)
    return first + second > 0 ? first / (first + second) : nextUniform() < 0.5 ? 0 : 1
  }

  /// Source: Marsaglia, Tsang, "A Simple Method for Generating Gamma Variables", 2000, with their
  /// reduction of shapes below 1 (section 6).
  private mutating func nextGamma(_ shape: Double) -> Double {
    guard shape >= 1 else {
      return nextGamma(shape + 1) * pow(1 - nextUniform(), 1 / shape)
    }
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = nextNormal()
      let base = 1 + c * x
      guard base > 0 else { continue }
      let v = base * base * base
      if log(1 - nextUniform()) < 0.5 * x * x + d - d * v + d * log(v) { return d * v }
    }
  }
}
