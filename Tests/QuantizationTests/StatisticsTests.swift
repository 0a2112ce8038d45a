// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import TensorCore
import Testing

@Suite("Streaming statistics")
struct StatisticsTests {
  private func values(_ count: Int, seed: UInt64, scale: Float) -> [Float] {
    var random = RandomSource(seed: seed)
    return (0..<count).map { _ in (Float(random.nextUniform()) - 0.3) * scale }
  }

  @Test("Histograms depend neither on the order of values nor on their batches")
  func order() {
    let all = values(3000, seed: 1, scale: 1) + values(3000, seed: 2, scale: 900)
    var forward = Histogram(binCount: 64)
    var backward = Histogram(binCount: 64)
    for part in [all, all.reversed()] {
      var histogram = Histogram(binCount: 64)
      for start in stride(from: 0, to: part.count, by: 500) {
        let batch = Array(part[start..<(start + 500)])
        histogram.reach(batch.map { abs($0) }.max() ?? 0)
        batch.withUnsafeBufferPointer { histogram.add($0) }
      }
      if part == all { forward = histogram } else { backward = histogram }
    }
    #expect(forward == backward)
    #expect(forward.count == 6000)
  }

  @Test("Parts collected apart and joined equal the whole")
  func joining() {
    let (small, large) = (values(2000, seed: 5, scale: 0.01), values(2000, seed: 6, scale: 300))
    var whole = ValueStatistics()
    whole.add(Tensor(small + large, shape: [2, 2000]))
    var one = ValueStatistics()
    one.add(Tensor(small, shape: [1, 2000]))
    var other = ValueStatistics()
    other.add(Tensor(large, shape: [1, 2000]))
    one.add(other)
    #expect(one.histogram == whole.histogram)
    #expect(one.minimum == whole.minimum)
    #expect(one.maximum == whole.maximum)
  }

  @Test("Bins stay as many as they were, however many samples come")
  func memory() {
    var statistics = ValueStatistics(binCount: 256)
    for sample in 0..<200 {
      statistics.add(
        Tensor(values(100, seed: UInt64(sample), scale: Float(sample + 1)), shape: [1, 100]))
      #expect(statistics.histogram.positive.count == 256)
      #expect(statistics.histogram.negative.count == 256)
    }
    #expect(statistics.sampleCount == 200)
  }

  @Test("NaN and infinities are counted and change no range")
  func notFinite() {
    var statistics = ValueStatistics()
    statistics.add(Tensor([1, .nan, -.infinity, -2, .infinity] as [Float], shape: [1, 5]))
    #expect(statistics.notFiniteCount == 3)
    #expect(statistics.minimum == -2)
    #expect(statistics.maximum == 1)
  }

  @Test("Channels have their own means and ranges")
  func channels() {
    var statistics = ChannelStatistics()
    let row = (0..<40).map { Float($0) }
    statistics.add(Tensor(row.map { $0 } + row.map { -$0 * 2 }, shape: [1, 2, 5, 8]))
    #expect(statistics.means == [19.5, -39])
    #expect(statistics.magnitudes == [39, 78])
    statistics.add(Tensor([Float](repeating: 0, count: 80), shape: [1, 2, 5, 8]))
    #expect(statistics.means == [9.75, -19.5])
  }
}
