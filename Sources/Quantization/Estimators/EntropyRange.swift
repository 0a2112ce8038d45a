// SPDX-License-Identifier: Apache-2.0
public import CompressionCore
import Foundation

/// Up to the magnitude at which quantization loses the least information.
///
/// Source: Migacz, "8-bit Inference with TensorRT", 2017, as NVIDIA's histogram calibrator
/// computes it. Differs in two ways: bins merge in pairs when a later sample exceeds the first
/// one's range, where the source appends bins, so that memory stays fixed; and thresholds that
/// make the squared error of rounding and clipping greater than no clipping at all are passed
/// over. Values with few different levels, as flat parts of images give, have divergences that
/// are least at thresholds far too low.
public struct EntropyRange: RangeEstimator {
  public init() {}
  public var name: String { "entropy" }
  public var summary: String { "the least Kullback-Leibler divergence of the clipped histogram" }
  public var source: String {
    #"Migacz, "8-bit Inference with TensorRT", 2017"#
  }

  /// Bins that the search works on, at most.
  static let greatestBinCount = 2048

  public func range(
    of statistics: ValueStatistics, for request: RangeRequest
  ) -> ClosedRange<Double> {
    var counts = statistics.histogram.magnitudes
    var width = Double(statistics.histogram.binWidth)
    while counts.count > EntropyRange.greatestBinCount {
      counts = stride(from: 0, to: counts.count, by: 2).map { counts[$0] + counts[$0 + 1] }
      width *= 2
    }
    let used = (counts.lastIndex { $0 > 0 } ?? 0) + 1
    // Negative values take half of the codes.
    let groups = statistics.minimum < 0 ? request.codeCount / 2 : request.codeCount
    guard used > groups else { return MinimumMaximumRange().range(of: statistics, for: request) }
    let divergences = EntropyRange.divergences(counts: Array(counts[..<used]), groups: groups)
    let errors = EntropyRange.squaredErrors(counts: Array(counts[..<used]), groups: groups)
    let bound = errors.last ?? 0
    let sound = zip(divergences, errors).map { $1 <= bound ? $0 : .infinity }
    guard let best = EntropyRange.best(sound) else {
      return MinimumMaximumRange().range(of: statistics, for: request)
    }
    return MagnitudeLimit.range(of: statistics, upTo: Double(groups + best) * width)
  }

  /// The divergence for each threshold from `groups` bins on.
  ///
  /// Source: as the type. `P` is the histogram up to the threshold with all beyond it added to
  /// its last bin; `Q` is the histogram without them, in `groups` groups of bins, each group's
  /// sum spread evenly over its bins that are not empty. The first count is replaced by the
  /// second, which hides the zeros that ReLU makes.
  ///
  /// - Parameters:
  ///   - counts: Of magnitudes in bins of equal width from 0 on.
  ///   - groups: Codes for magnitudes: 128 for 8 bits with a sign, 256 without.
  /// - Returns: `Σ P ln (P / Q)` of the normalised distributions for thresholds of `groups`,
  ///   `groups + 1`, … `counts.count` bins; infinite where `Q` lacks what `P` has.
  /// - Complexity: O(*bins* · *groups*).
  public static func divergences(counts: [UInt64], groups: Int) -> [Double] {
    guard counts.count >= groups, groups > 0 else { return [] }
    var counts = counts.map { Double($0) }
    if counts.count > 1 { counts[0] = counts[1] }
    var sums = [0.0]
    var entropies = [0.0]
    var filled = [0]
    for count in counts {
      sums.append(sums[sums.count - 1] + count)
      entropies.append(entropies[entropies.count - 1] + (count > 0 ? count * log(count) : 0))
      filled.append(filled[filled.count - 1] + (count > 0 ? 1 : 0))
    }
    let total = sums[counts.count]
    return (groups...counts.count).map { bins in
      let tail = total - sums[bins]
      let last = counts[bins - 1] + tail
      guard sums[bins] > 0, counts[bins - 1] > 0 || tail == 0 else { return .infinity }
      var cross = 0.0
      var start = 0
      for group in 0..<groups {
        // The first bin that is not below (group + 1) · bins / groups.
        let end = ((group + 1) * bins + groups - 1) / groups
        let sum = sums[end] - sums[start]
        if sum > 0 {
          let spread = sum / Double(filled[end] - filled[start])
          cross += (group == groups - 1 ? sum + tail : sum) * log(spread)
        }
        start = end
      }
      let own = entropies[bins - 1] + (last > 0 ? last * log(last) : 0)
      return (own - cross) / total - log(total) + log(sums[bins])
    }
  }

  /// The squared error of rounding and clipping for each threshold from `groups` bins on, in
  /// squares of a bin's width: a twelfth of a squared step within, the excess beyond.
  static func squaredErrors(counts: [UInt64], groups: Int) -> [Double] {
    var beyond = SIMD3<Double>(0, 0, 0)
    var within = counts.reduce(0) { $0 + Double($1) }
    var errors: [Double] = []
    for bins in stride(from: counts.count, through: groups, by: -1) {
      let (limit, step) = (Double(bins), Double(bins) / Double(groups))
      let excess = beyond.z - 2 * limit * beyond.y + limit * limit * beyond.x
      errors.append(excess + within * step * step / 12)
      let (count, middle) = (Double(counts[bins - 1]), limit - 0.5)
      beyond += SIMD3(count, count * middle, count * middle * middle)
      within -= count
    }
    return errors.reversed()
  }

  /// The position of the last of the smallest divergences; `nil` if none is finite.
  public static func best(_ divergences: [Double]) -> Int? {
    guard let least = divergences.min(), least.isFinite else { return nil }
    return divergences.lastIndex(of: least)
  }
}
