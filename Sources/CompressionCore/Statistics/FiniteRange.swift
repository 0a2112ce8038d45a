// SPDX-License-Identifier: Apache-2.0

/// The least and the greatest finite element of an array.
struct FiniteRange {
  var minimum = Float.infinity
  var maximum = -Float.infinity
  var notFiniteCount = 0

  init(_ values: UnsafeBufferPointer<Float>) {
    var low = SIMD16<Float>(repeating: .infinity)
    var high = -low
    var isFinite = true
    let whole = values.count / 16 * 16
    var index = 0
    var difference = SIMD16<Float>(repeating: 0)
    let raw = UnsafeRawBufferPointer(values)
    while index < whole {
      let lane = raw.loadUnaligned(fromByteOffset: index * 4, as: SIMD16<Float>.self)
      low = pointwiseMin(low, lane)
      high = pointwiseMax(high, lane)
      // Stays 0 for finite lanes, becomes NaN otherwise.
      difference += lane - lane
      index += 16
    }
    if (difference .== 0) != SIMDMask(repeating: true) { isFinite = false }
    for index in whole..<values.count where !values[index].isFinite { isFinite = false }
    if isFinite {
      if whole > 0 {
        minimum = low.min()
        maximum = high.max()
      }
      for index in whole..<values.count {
        minimum = Swift.min(minimum, values[index])
        maximum = Swift.max(maximum, values[index])
      }
    } else {
      for value in values {
        guard value.isFinite else {
          notFiniteCount += 1
          continue
        }
        minimum = Swift.min(minimum, value)
        maximum = Swift.max(maximum, value)
      }
    }
  }
}
