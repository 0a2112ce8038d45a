// SPDX-License-Identifier: Apache-2.0
import CKernels
import CPURuntime

/// What one batch tells of one value, apart from its histogram.
///
/// Collected batch by batch on any thread; added up in the order of the batches.
struct BatchStatistics: Sendable {
  /// The range of each sample.
  private(set) var samples: [FiniteRange] = []

  /// Of all samples; `nil` where channels are not asked for.
  private(set) var channels: ChannelStatistics?

  /// - Parameters:
  ///   - values: Of `shape`, the samples along the first axis, the rest in the order of `layout`.
  ///   - asksForChannels: Whether channels are looked at one by one.
  init(
    of values: UnsafeBufferPointer<Float>, shape: [Int], layout: Layout, asksForChannels: Bool
  ) {
    let extents = SampleExtents(shape)
    guard values.count > 0, values.count == extents.samples * extents.size else { return }
    var channels = ChannelStatistics(channelCount: asksForChannels ? extents.channels : 0)
    for sample in 0..<extents.samples {
      let start = sample * extents.size
      let part = UnsafeBufferPointer(rebasing: values[start..<(start + extents.size)])
      samples.append(
        asksForChannels
          ? channels.add(part, inner: extents.inner, layout: layout) : FiniteRange(part))
    }
    if asksForChannels { self.channels = channels }
  }
}

/// The extents of a batch: samples, channels, and what is left of a sample.
struct SampleExtents {
  let samples: Int
  let channels: Int
  let inner: Int

  var size: Int { channels * inner }

  init(_ shape: [Int]) {
    samples = shape.first ?? 1
    channels = shape.count > 1 ? shape[1] : 1
    inner = shape.count > 2 ? shape[2...].reduce(1, *) : 1
  }
}
