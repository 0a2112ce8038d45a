// SPDX-License-Identifier: Apache-2.0
public import CompressionCore

/// From the least to the greatest value seen.
///
/// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
/// Integer-Arithmetic-Only Inference", 2018, section 3.
public struct MinimumMaximumRange: RangeEstimator {
  public init() {}
  public var name: String { "minmax" }
  public var summary: String { "the least and greatest value seen; clips nothing" }
  public var source: String {
    #"Jacob et al., "Quantization and Training of Neural Networks "#
      + #"for Efficient Integer-Arithmetic-Only Inference", 2018"#
  }

  public var needsHistogram: Bool { false }

  public func range(
    of statistics: ValueStatistics, for request: RangeRequest
  ) -> ClosedRange<Double> {
    min(Double(statistics.minimum), 0)...max(Double(statistics.maximum), 0)
  }
}
