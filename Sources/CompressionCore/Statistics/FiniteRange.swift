// SPDX-License-Identifier: Apache-2.0
import CKernels

/// The least and the greatest finite element of an array.
struct FiniteRange: Sendable {
  /// +∞ and −∞ where no element is finite.
  var minimum: Float
  var maximum: Float
  var notFiniteCount: Int

  init(minimum: Float, maximum: Float, notFiniteCount: Int) {
    self.minimum = minimum
    self.maximum = maximum
    self.notFiniteCount = notFiniteCount
  }

  init(_ values: UnsafeBufferPointer<Float>) {
    guard let base = values.baseAddress else {
      (minimum, maximum, notFiniteCount) = (.infinity, -.infinity, 0)
      return
    }
    let range = swk_min_max_f32(base, values.count)
    minimum = range.minimum
    maximum = range.maximum
    notFiniteCount = Int(range.nan_count + range.infinite_count)
  }
}

/// The sum of an array in an order that depends on its length alone: 16 partial sums in `Double`.
func laneSum(_ values: UnsafeBufferPointer<Float>) -> Double {
  guard let base = values.baseAddress else { return 0 }
  let whole = values.count / 16 * 16
  var sum = 0.0
  if whole > 0 {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 16) { lanes in
      lanes.initialize(repeating: 0)
      if let start = lanes.baseAddress { swk_channel_sums_f32(base, whole / 16, 16, start) }
      sum = lanes.reduce(0, +)
    }
  }
  for index in whole..<values.count { sum += Double(values[index]) }
  return sum
}
