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

  @Test("count values on both sides of zero in bins, without NaN", arguments: counts, [1, 3, 50])
  func histogram(rows: Int, step: Int) {
    var random = RandomSource(seed: 52)
    let channels = 5
    var values = random.reals(count: rows * channels)
    if rows > 20 { values[17] = .nan }
    var positive = [UInt64](repeating: 1, count: 37), negative = positive
    var (expectedPositive, expectedNegative) = (positive, negative)
    swk_histogram_f32(values, rows, channels, step, 15, &positive, &negative, 37)
    swk_histogram_f32_reference(
      values, rows, channels, step, 15, &expectedPositive, &expectedNegative, 37)
    #expect(positive == expectedPositive)
    #expect(negative == expectedNegative)
    let byChannel = (0..<channels).flatMap { channel in
      (0..<rows).map { values[$0 * channels + channel] }
    }
    let counted = stride(from: 0, to: byChannel.count, by: step).map { byChannel[$0] }
    #expect(positive.reduce(0, +) == UInt64(37 + counted.count { $0 >= 0 }))
    #expect(negative.reduce(0, +) == UInt64(37 + counted.count { $0 < 0 }))
  }

  @Test("put a magnitude on the limit, and beyond it, into the last bin")
  func lastBin() {
    var positive = [UInt64](repeating: 0, count: 4), negative = positive
    swk_histogram_f32(
      [0, 0.99, -1, 3.99, 4, 1e30, -.infinity], 7, 1, 1, 4, &positive, &negative, 4)
    #expect(positive == [2, 0, 0, 3])
    #expect(negative == [0, 1, 0, 1])
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

  @Test("find each channel's sum and range of finite values", arguments: [1, 7, 16, 29, 48])
  func channelStatistics(channels: Int) {
    var random = RandomSource(seed: 55)
    let rows = 13
    var values = random.reals(count: rows * channels)
    values[values.count / 2] = .infinity
    values[values.count / 3] = .infinity
    var sums = [Double](repeating: 1, count: channels), expectedSums = sums
    var minima = [Float](repeating: .infinity, count: channels), expectedMinima = minima
    var maxima = minima.map { -$0 }, expectedMaxima = maxima
    let others = swk_channel_statistics_f32(
      values, rows, channels, &sums, &minima, &maxima)
    let expected = swk_channel_statistics_f32_reference(
      values, rows, channels, &expectedSums, &expectedMinima, &expectedMaxima)
    #expect(others == 2 && expected == 2)
    #expect(sums == expectedSums)
    #expect(minima == expectedMinima)
    #expect(maxima == expectedMaxima)
    let first = (0..<rows).map { values[$0 * channels] }.filter(\.isFinite)
    #expect(minima[0] == first.min() ?? .infinity)
    #expect(maxima[0] == first.max() ?? -.infinity)
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
