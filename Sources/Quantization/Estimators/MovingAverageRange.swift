// SPDX-License-Identifier: Apache-2.0
public import CompressionCore

/// From the moving average of the samples' least values to that of their greatest.
///
/// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
/// Integer-Arithmetic-Only Inference", 2018, section 3.1. The averages start from the first
/// sample, not from zero.
public struct MovingAverageRange: RangeEstimator {
  public init() {}
  public var name: String { "moving-average" }
  public var summary: String { "a moving average of each sample's least and greatest value" }
  public var source: String {
    #"Jacob et al., "Quantization and Training of Neural Networks "#
      + #"for Efficient Integer-Arithmetic-Only Inference", 2018"#
  }

  public var needsHistogram: Bool { false }

  public func range(
    of statistics: ValueStatistics, for request: RangeRequest
  ) -> ClosedRange<Double> {
    min(statistics.averageMinimum, 0)...max(statistics.averageMaximum, 0)
  }
}
