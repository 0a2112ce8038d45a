// SPDX-License-Identifier: Apache-2.0

extension Histogram {
  /// The fraction of values whose bins lie at least by half within a range, or outside of it by
  /// no more than `tolerance`; 1 without values.
  public func share(in range: ClosedRange<Float>, tolerance: Float = 0) -> Double {
    let total = count
    guard total > 0, limit > 0 else { return 1 }
    var inside: UInt64 = 0
    for bin in 0..<binCount {
      let middle = (Float(bin) + 0.5) * binWidth
      // The bin next to zero holds zeros, which every range contains.
      if bin == 0 || middle <= range.upperBound + tolerance { inside += positive[bin] }
      if bin == 0 || -middle >= range.lowerBound - tolerance { inside += negative[bin] }
    }
    return Double(inside) / Double(total)
  }

  /// The magnitude that a fraction of the values does not exceed, to the width of a bin.
  public func magnitude(atFraction fraction: Double) -> Float {
    let total = count
    guard total > 0 else { return 0 }
    var sum: UInt64 = 0
    for bin in 0..<binCount {
      sum += positive[bin] + negative[bin]
      if Double(sum) >= fraction * Double(total) { return Float(bin + 1) * binWidth }
    }
    return limit
  }
}
