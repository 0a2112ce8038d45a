// SPDX-License-Identifier: Apache-2.0
import CKernels

/// Counts of values in bins of equal width on both sides of zero, in fixed memory.
///
/// The limit is a power of two. A value beyond it doubles the limit and merges the bins in pairs,
/// so the counts depend on the values alone, not on their order or their division into batches.
public struct Histogram: Sendable, Equatable {
  /// Bins on each side of zero; even.
  public let binCount: Int

  /// The bins reach from −limit to limit; 0 before the first value.
  public private(set) var limit: Float = 0

  /// Counts of positive values, and zeros, outwards from zero.
  public private(set) var positive: [UInt64]

  /// Counts of negative values, outwards from zero.
  public private(set) var negative: [UInt64]

  public init(binCount: Int = 4096) {
    precondition(binCount > 0 && binCount % 2 == 0, "bins merge in pairs")
    self.binCount = binCount
    positive = [UInt64](repeating: 0, count: binCount)
    negative = positive
  }

  /// Width of a bin, in units of the values.
  public var binWidth: Float { limit / Float(binCount) }

  /// Number of values counted.
  public var count: UInt64 { positive.reduce(0, +) + negative.reduce(0, +) }

  /// Counts of magnitudes, outwards from zero.
  public var magnitudes: [UInt64] { zip(positive, negative).map { $0 + $1 } }

  /// Counts from the most negative bin to the most positive one, `2 · binCount` of them.
  public var signed: [UInt64] { negative.reversed() + positive }

  /// Widens the bins until they reach `magnitude`.
  public mutating func reach(_ magnitude: Float) {
    guard magnitude.isFinite, magnitude > 0 else { return }
    if limit == 0 {
      let exponent = max(magnitude, 0x1p-100).exponent
      limit = Float(sign: .plus, exponent: exponent, significand: 1)
    }
    while limit <= magnitude && limit < 0x1p126 {
      merge(&positive)
      merge(&negative)
      limit *= 2
    }
  }

  /// Counts every `step`-th element; NaN is left out, infinities and values beyond `limit` count in
  /// the outermost bins.
  ///
  /// - Parameters:
  ///   - values: `[rows, channels]`. Which elements are counted does not depend on this order: it
  ///     is every `step`-th of `[channels, rows]`.
  ///   - channels: Must divide the number of elements.
  public mutating func add(
    _ values: UnsafeBufferPointer<Float>, channels: Int = 1, step: Int = 1
  ) {
    guard let base = values.baseAddress, !values.isEmpty else { return }
    guard limit > 0 else {
      // All values so far are zero.
      positive[0] += UInt64((values.count - 1) / step + 1)
      return
    }
    let bins = binCount
    swk_histogram_f32(
      base, values.count / channels, channels, step, limit, &positive, &negative, bins)
  }

  /// Adds the counts of another histogram with as many bins.
  public mutating func add(_ other: Histogram) {
    precondition(other.binCount == binCount, "histograms of as many bins")
    var other = other
    if limit == 0 { limit = other.limit }
    if other.limit > 0 {
      while limit < other.limit {
        merge(&positive)
        merge(&negative)
        limit *= 2
      }
      while other.limit < limit { other.double() }
    }
    for bin in 0..<binCount {
      positive[bin] += other.positive[bin]
      negative[bin] += other.negative[bin]
    }
  }

  private mutating func double() {
    merge(&positive)
    merge(&negative)
    limit *= 2
  }

  private func merge(_ counts: inout [UInt64]) {
    let half = binCount / 2
    for bin in 0..<half { counts[bin] = counts[2 * bin] + counts[2 * bin + 1] }
    for bin in half..<binCount { counts[bin] = 0 }
  }
}
