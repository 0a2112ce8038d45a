// SPDX-License-Identifier: Apache-2.0
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
    let channels = tensor.rank > 1 ? tensor.shape[1] : 1
    guard tensor.count > 0 else { return }
    if sums.isEmpty {
      sums = [Double](repeating: 0, count: channels)
      minima = [Float](repeating: .infinity, count: channels)
      maxima = [Float](repeating: -.infinity, count: channels)
    }
    guard sums.count == channels else { return }
    let inner = tensor.rank > 2 ? tensor.shape[2...].reduce(1, *) : 1
    let rows = tensor.count / (channels * inner)
    tensor.withFloats { values in
      for row in 0..<rows {
        for channel in 0..<channels {
          if inner == 1 {
            let value = values[row * channels + channel]
            sums[channel] += Double(value)
            minima[channel] = min(minima[channel], value)
            maxima[channel] = max(maxima[channel], value)
            continue
          }
          let start = (row * channels + channel) * inner
          add(UnsafeBufferPointer(rebasing: values[start..<(start + inner)]), to: channel)
        }
      }
    }
    countPerChannel += rows * inner
  }

  private mutating func add(_ values: UnsafeBufferPointer<Float>, to channel: Int) {
    let range = FiniteRange(values)
    sums[channel] += laneSum(values)
    minima[channel] = min(minima[channel], range.minimum)
    maxima[channel] = max(maxima[channel], range.maximum)
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
