// SPDX-License-Identifier: Apache-2.0
import CompressionCore

/// Ranges from a limit on magnitudes.
enum MagnitudeLimit {
  /// The part of the observed range within ±`threshold`; all of it where that leaves nothing.
  static func range(
    of statistics: ValueStatistics, upTo threshold: Double
  ) -> ClosedRange<Double> {
    let least = min(Double(statistics.minimum), 0)
    let greatest = max(Double(statistics.maximum), 0)
    guard threshold > 0 else { return least...greatest }
    return max(least, -threshold)...min(greatest, threshold)
  }
}
