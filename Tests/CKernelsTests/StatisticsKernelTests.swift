// SPDX-License-Identifier: Apache-2.0
import CKernels
import TensorCore
import Testing

@Suite("The kernels for statistics")
struct StatisticsKernelTests {
  static let counts = [0, 1, 15, 16, 17, 100, 333]

  @Test("find the range of finite values and count the others", arguments: counts)
  func range(count: Int) {
    var random = RandomSource(seed: 51)
    var values = random.reals(count: count)
    for index in values.indices where index % 11 == 3 { values[index] = .nan }
    for index in values.indices where index % 13 == 5 { values[index] = -.infinity }
    let found = swk_min_max_f32(values, count)
    let finite = values.filter(\.isFinite)
    #expect(found.minimum == finite.min() ?? .infinity)
    #expect(found.maximum == finite.max() ?? -.infinity)
    #expect(found.nan_count == UInt64(values.count { $0.isNaN }))
    #expect(found.infinite_count == UInt64(values.count { $0.isInfinite }))
    let expected = swk_min_max_f32_reference(values, count)
    #expect(found.minimum == expected.minimum && found.maximum == expected.maximum)
    #expect(found.nan_count == expected.nan_count)
    #expect(found.infinite_count == expected.infinite_count)
  }

  @Test("count magnitudes in bins, without NaN", arguments: counts)
  func histogram(count: Int) {
    var random = RandomSource(seed: 52)
    var values = random.reals(count: count)
    if count > 20 { values[17] = .nan }
    var counts = [UInt64](repeating: 1, count: 37), expected = counts
    swk_histogram_abs_f32(values, count, 15, &counts, counts.count)
    swk_histogram_abs_f32_reference(values, count, 15, &expected, expected.count)
    #expect(counts == expected)
    #expect(counts.reduce(0, +) == UInt64(37 + values.count { !$0.isNaN }))
  }

  @Test("put a magnitude on the limit, and beyond it, into the last bin")
  func lastBin() {
    var counts = [UInt64](repeating: 0, count: 4)
    swk_histogram_abs_f32([0, 0.99, -1, 3.99, 4, 1e30, -.infinity], 7, 4, &counts, 4)
    #expect(counts == [2, 1, 0, 4])
  }

  @Test("add squared differences in the reference's order", arguments: counts)
  func squares(count: Int) {
    var random = RandomSource(seed: 53)
    let a = random.reals(count: count), b = random.reals(count: count)
    let sum = swk_sum_squares_difference(a, b, count)
    #expect(sum == swk_sum_squares_difference_reference(a, b, count))
    let plain = zip(a, b).reduce(0.0) { total, pair in
      let difference = Double(pair.0) - Double(pair.1)
      return total + difference * difference
    }
    #expect(abs(sum - plain) <= plain * Double(count) * 0x1p-52)
  }

  @Test("add each channel over the rows", arguments: [1, 7, 8, 29])
  func channels(channels: Int) {
    var random = RandomSource(seed: 54)
    let rows = 13, values = random.reals(count: rows * channels)
    var sums = [Double](repeating: 1, count: channels), expected = sums
    swk_channel_sums_f32(values, rows, channels, &sums)
    swk_channel_sums_f32_reference(values, rows, channels, &expected)
    #expect(sums == expected)
  }

  @Test("name the instruction set and the features of the processor")
  func target() {
    #expect(!String(cString: swk_target_name()).isEmpty)
    #if arch(x86_64)
      let vnni = UInt32(SWK_CPU_AVX512_VNNI.rawValue), avx512 = UInt32(SWK_CPU_AVX512.rawValue)
      #expect(swk_cpu_features() & vnni == 0 || swk_cpu_features() & avx512 != 0)
    #endif
  }
}
