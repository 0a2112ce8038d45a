// SPDX-License-Identifier: Apache-2.0
public import CompressionCore

/// Up to the magnitude that a given fraction of all values does not reach.
///
/// Source: the percentile mode of NVIDIA's histogram calibrator: the left edge of the first bin
/// at which the cumulative fraction of magnitudes reaches the percentile.
public struct PercentileRange: RangeEstimator {
  public init() {}
  public var name: String { "percentile" }
  public var summary: String { "the magnitude that all values but a given fraction stay below" }
  public var source: String {
    #"NVIDIA, histogram calibrator of pytorch-quantization, 2020"#
  }

  public func range(
    of statistics: ValueStatistics, for request: RangeRequest
  ) -> ClosedRange<Double> {
    let histogram = statistics.histogram
    let threshold = PercentileRange.threshold(
      counts: histogram.magnitudes, width: Double(histogram.binWidth),
      fraction: request.percentile)
    return MagnitudeLimit.range(of: statistics, upTo: threshold)
  }

  /// The magnitude at a percentile.
  ///
  /// - Parameters:
  ///   - counts: Of magnitudes in bins from 0 on.
  ///   - width: Of a bin, in units of the values.
  ///   - fraction: In 0…1; of all counts.
  /// - Returns: The left edge of the bin; the end of the last bin for the fraction 1.
  public static func threshold(counts: [UInt64], width: Double, fraction: Double) -> Double {
    let total = counts.reduce(0, +)
    guard fraction < 1, total > 0 else { return Double(counts.count) * width }
    var sum: UInt64 = 0
    for (bin, count) in counts.enumerated() {
      sum += count
      if Double(sum) / Double(total) >= fraction { return Double(bin) * width }
    }
    return Double(counts.count) * width
  }
}
