// SPDX-License-Identifier: Apache-2.0
public import CompressionCore

/// The range with the least mean squared error of rounding and clipping together.
///
/// Source: Choukroun et al., "Low-bit Quantization of Neural Networks for Efficient Inference",
/// 2019, section 3. The ends are searched in turn over 100 fractions of the observed ends, on the
/// histogram's bins.
public struct MeanSquaredErrorRange: RangeEstimator {
  public init() {}
  public var name: String { "mse" }
  public var summary: String { "the least mean squared error of rounding and clipping" }
  public var source: String {
    #"Choukroun et al., "Low-bit Quantization of Neural Networks "#
      + #"for Efficient Inference", 2019"#
  }

  public func range(
    of statistics: ValueStatistics, for request: RangeRequest
  ) -> ClosedRange<Double> {
    let least = min(Double(statistics.minimum), 0)
    let greatest = max(Double(statistics.maximum), 0)
    // With 16 bits a bin is wider than a step, and clipping cannot pay.
    guard request.codeCount <= 1024, least < greatest else { return least...greatest }
    let points = MeanSquaredErrorRange.points(of: statistics.histogram)
    func error(_ low: Double, _ high: Double) -> Double {
      MeanSquaredErrorRange.error(
        from: low, to: high, points: points, codeCount: request.codeCount)
    }
    if request.isSymmetric || least == 0 || greatest == 0 {
      let fraction = MeanSquaredErrorRange.bestFraction {
        let bound = max(-least, greatest) * $0
        return error(
          least == 0 ? 0 : -bound, greatest == 0 ? 0 : bound)
      }
      let bound = max(-least, greatest) * fraction
      return max(least, -bound)...min(greatest, bound)
    }
    var (low, high) = (least, greatest)
    for _ in 0..<2 {
      high = greatest * MeanSquaredErrorRange.bestFraction { error(low, greatest * $0) }
      low = least * MeanSquaredErrorRange.bestFraction { error(least * $0, high) }
    }
    return low...high
  }

  /// The fraction with the smallest error; of equal ones the largest.
  private static func bestFraction(_ error: (Double) -> Double) -> Double {
    var best = (fraction: 1.0, error: Double.infinity)
    for step in stride(from: 100, through: 5, by: -1) {
      let fraction = Double(step) / 100
      let found = error(fraction)
      if found < best.error { best = (fraction, found) }
    }
    return best.fraction
  }

  /// The middles of the filled bins and their counts.
  private static func points(of histogram: Histogram) -> [SIMD2<Float>] {
    var points: [SIMD2<Float>] = []
    for bin in 0..<histogram.binCount {
      let middle = (Float(bin) + 0.5) * histogram.binWidth
      if histogram.positive[bin] > 0 {
        points.append([middle, Float(histogram.positive[bin])])
      }
      if histogram.negative[bin] > 0 {
        points.append([-middle, Float(histogram.negative[bin])])
      }
    }
    return points
  }

  private static func error(
    from low: Double, to high: Double, points: [SIMD2<Float>], codeCount: Int
  ) -> Double {
    let code = AffineCode.affine(from: low, to: high, codes: 0...Int32(codeCount - 1))
    let (scale, inverse) = (code.scale, 1 / code.scale)
    let (least, greatest) = (code.reals.lowerBound, code.reals.upperBound)
    var sum = 0.0
    for point in points {
      let clipped = min(max(point.x, least), greatest)
      let difference = point.x - (clipped * inverse).rounded(.toNearestOrEven) * scale
      sum += Double(difference * difference * point.y)
    }
    return sum
  }
}
