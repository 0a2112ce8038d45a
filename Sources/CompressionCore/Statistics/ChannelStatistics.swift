// SPDX-License-Identifier: Apache-2.0
import CKernels
import CPURuntime
public import TensorCore

/// Mean, least and greatest element of each channel of one value over all samples.
public struct ChannelStatistics: Sendable, Equatable {
  /// Sums per channel, in units of the values.
  public private(set) var sums: [Double] = []

  /// Least and greatest elements per channel.
  public private(set) var minima: [Float] = []
  public private(set) var maxima: [Float] = []

  /// Elements seen of each channel.
  public private(set) var countPerChannel = 0

  public init() {}

  public var channelCount: Int { sums.count }

  /// Means per channel; zeros before the first element.
  public var means: [Double] {
    countPerChannel == 0 ? sums : sums.map { $0 / Double(countPerChannel) }
  }

  /// The greatest magnitude of each channel.
  public var magnitudes: [Float] { zip(minima, maxima).map { max(abs($0), abs($1)) } }

  /// Adds a tensor `[samples, channels, …]`; without a second axis there is one channel.
  ///
  /// A tensor whose number of channels differs from the first one's is left out.
  public mutating func add(_ tensor: Tensor) {
    tensor.withFloats { values in
      let batch = BatchStatistics(
        of: values, shape: tensor.shape, layout: .plain, asksForChannels: true)
      if let channels = batch.channels { add(channels) }
    }
  }

  /// Adds what was collected from other samples, in the order of the calls.
  ///
  /// Statistics of another number of channels are left out.
  public mutating func add(_ other: ChannelStatistics) {
    if sums.isEmpty { self = ChannelStatistics(channelCount: other.channelCount) }
    guard sums.count == other.sums.count else { return }
    for channel in sums.indices {
      sums[channel] += other.sums[channel]
      minima[channel] = min(minima[channel], other.minima[channel])
      maxima[channel] = max(maxima[channel], other.maxima[channel])
    }
    countPerChannel += other.countPerChannel
  }

  /// Nothing seen yet of so many channels.
  init(channelCount: Int) {
    sums = [Double](repeating: 0, count: channelCount)
    minima = [Float](repeating: .infinity, count: channelCount)
    maxima = [Float](repeating: -.infinity, count: channelCount)
  }

  /// Adds one sample and returns its range.
  ///
  /// - Parameters:
  ///   - values: `[channels, inner]`, or `[inner, channels]` if `layout` says so.
  ///   - inner: Elements of a channel.
  mutating func add(
    _ values: UnsafeBufferPointer<Float>, inner: Int, layout: Layout
  ) -> FiniteRange {
    var found = ChannelStatistics(channelCount: channelCount)
    var others = 0
    if layout == .channelsLast || inner == 1, let base = values.baseAddress {
      others = swk_channel_statistics_f32(
        base, inner, channelCount, &sums, &found.minima, &found.maxima)
    } else {
      for channel in sums.indices {
        let start = channel * inner
        let part = UnsafeBufferPointer(rebasing: values[start..<(start + inner)])
        let range = FiniteRange(part)
        sums[channel] += laneSum(part)
        found.minima[channel] = range.minimum
        found.maxima[channel] = range.maximum
        others += range.notFiniteCount
      }
    }
    var range = FiniteRange(minimum: .infinity, maximum: -.infinity, notFiniteCount: others)
    for channel in sums.indices {
      range.minimum = min(range.minimum, found.minima[channel])
      range.maximum = max(range.maximum, found.maxima[channel])
      minima[channel] = min(minima[channel], found.minima[channel])
      maxima[channel] = max(maxima[channel], found.maxima[channel])
    }
    countPerChannel += inner
    return range
  }
}

extension Tensor {
  /// Calls `body` with the elements as `Float`, in place where they are stored so.
  package func withFloats<Result>(
    _ body: (UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result {
    if elementType == .float32 {
      return try bytes.withUnsafeBytes { raw in
        if Int(bitPattern: raw.baseAddress) % MemoryLayout<Float>.alignment == 0 {
          return try body(raw.bindMemory(to: Float.self))
        }
        return try floats().withUnsafeBufferPointer(body)
      }
    }
    return try floats().withUnsafeBufferPointer(body)
  }
}
