// SPDX-License-Identifier: Apache-2.0

/// The layout `[N, C, …]` of a tensor as lines of one channel of one sample each.
///
/// A tensor of rank 1 has one channel.
struct ChannelAxis {
  let batch: Int
  let channels: Int
  let volume: Int

  init(_ shape: [Int]) {
    batch = shape.first ?? 1
    channels = shape.count > 1 ? shape[1] : 1
    volume = shape.dropFirst(2).reduce(1, *)
  }

  /// The number of channels of a tensor, as far as it is known.
  ///
  /// - Throws: `OpError.invalidRank` for a scalar.
  static func channels(_ x: [Dimension]?) throws(OpError) -> Dimension? {
    guard let x else { return nil }
    guard !x.isEmpty else { throw .invalidRank(input: "X", found: 0, expected: "1 or more") }
    return x.count > 1 ? x[1] : .fixed(1)
  }

  func forEachLine(_ body: (_ channel: Int, _ line: Swift.Range<Int>) -> Void) {
    guard volume > 0, channels > 0 else { return }
    for image in 0..<batch {
      for channel in 0..<channels {
        let start = (image * channels + channel) * volume
        body(channel, start..<(start + volume))
      }
    }
  }

  /// Mean and population variance of each channel over all samples and positions.
  func moments(_ values: [Double]) -> (mean: [Double], variance: [Double]) {
    let count = Double(batch * volume)
    var mean = [Double](repeating: 0, count: channels)
    var variance = mean
    forEachLine { channel, line in
      for index in line { mean[channel] += values[index] }
    }
    for channel in mean.indices { mean[channel] /= count }
    forEachLine { channel, line in
      for index in line {
        let distance = values[index] - mean[channel]
        variance[channel] += distance * distance
      }
    }
    for channel in variance.indices { variance[channel] /= count }
    return (mean, variance)
  }
}

extension [Double] {
  /// Mean and population variance of a range of elements; NaN for none.
  func moments(_ range: Swift.Range<Int>) -> (mean: Double, variance: Double) {
    var mean = 0.0
    for index in range { mean += self[index] }
    mean /= Double(range.count)
    var variance = 0.0
    for index in range {
      let distance = self[index] - mean
      variance += distance * distance
    }
    return (mean, variance / Double(range.count))
  }
}
