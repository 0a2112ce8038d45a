// SPDX-License-Identifier: Apache-2.0
import CPURuntime
public import TensorCore

/// What is known of the elements of one value over all samples, in fixed memory.
public struct ValueStatistics: Sendable, Equatable {
  /// Least and greatest finite element; +∞ and −∞ before the first.
  public private(set) var minimum = Float.infinity
  public private(set) var maximum = -Float.infinity

  /// Moving averages of each sample's least and greatest element.
  public private(set) var averageMinimum: Double = 0
  public private(set) var averageMaximum: Double = 0

  /// Number of samples seen.
  public private(set) var sampleCount = 0

  /// Elements that are NaN or infinite.
  public private(set) var notFiniteCount = 0

  /// Elements counted; of large values every so-manieth.
  public private(set) var histogram: Histogram

  /// The weight of the past in the moving averages.
  public let momentum: Double

  /// - Parameter momentum: The weight of the past in the moving averages, in 0..<1.
  public init(binCount: Int = 4096, momentum: Double = 0.9) {
    histogram = Histogram(binCount: binCount)
    self.momentum = momentum
  }

  public var isEmpty: Bool { minimum > maximum }

  /// Elements of one sample that are counted in the histogram, about.
  public static let countedPerSample = 16_384

  /// Adds the elements of a tensor whose first axis is that of the samples.
  ///
  /// Range and averages see every element. The histogram sees every *n*-th, *n* odd and fixed by
  /// the size of a sample, so that about `countedPerSample` elements of each are counted.
  public mutating func add(_ tensor: Tensor) {
    tensor.withFloats { values in
      let batch = BatchStatistics(
        of: values, shape: tensor.shape, layout: .plain, asksForChannels: false)
      add(batch.samples)
      histogram.add(
        values, shape: tensor.shape, layout: .plain, ranges: batch.samples,
        countedPerSample: ValueStatistics.countedPerSample)
    }
  }

  /// Adds the ranges of samples, in their order.
  mutating func add(_ samples: [FiniteRange]) {
    for range in samples {
      notFiniteCount += range.notFiniteCount
      guard range.minimum <= range.maximum else { continue }
      minimum = min(minimum, range.minimum)
      maximum = max(maximum, range.maximum)
      if sampleCount == 0 {
        averageMinimum = Double(range.minimum)
        averageMaximum = Double(range.maximum)
      } else {
        averageMinimum += (1 - momentum) * (Double(range.minimum) - averageMinimum)
        averageMaximum += (1 - momentum) * (Double(range.maximum) - averageMaximum)
      }
      sampleCount += 1
    }
  }

  /// Adds counts of elements whose ranges are added apart.
  mutating func add(_ counts: Histogram) { histogram.add(counts) }

  /// Adds what another collector saw; moving averages are weighted by samples.
  public mutating func add(_ other: ValueStatistics) {
    minimum = min(minimum, other.minimum)
    maximum = max(maximum, other.maximum)
    notFiniteCount += other.notFiniteCount
    histogram.add(other.histogram)
    if sampleCount == 0 {
      averageMinimum = other.averageMinimum
      averageMaximum = other.averageMaximum
    } else if other.sampleCount > 0 {
      averageMinimum = min(averageMinimum, other.averageMinimum)
      averageMaximum = max(averageMaximum, other.averageMaximum)
    }
    sampleCount = max(sampleCount, other.sampleCount)
  }
}

extension Histogram {
  /// Counts elements of the samples of a batch.
  ///
  /// - Parameters:
  ///   - values: Of `shape`, the samples along the first axis, the rest in the order of `layout`.
  ///   - ranges: Of each sample; samples without a finite element are left out.
  ///   - countedPerSample: How many elements of a sample are counted, about.
  mutating func add(
    _ values: UnsafeBufferPointer<Float>, shape: [Int], layout: Layout, ranges: [FiniteRange],
    countedPerSample: Int
  ) {
    let extents = SampleExtents(shape)
    let step = extents.size / countedPerSample | 1
    for (sample, range) in ranges.enumerated() where range.minimum <= range.maximum {
      let start = sample * extents.size
      reach(max(-range.minimum, range.maximum))
      add(
        UnsafeBufferPointer(rebasing: values[start..<(start + extents.size)]),
        channels: layout == .channelsLast ? extents.channels : 1, step: step)
    }
  }
}
