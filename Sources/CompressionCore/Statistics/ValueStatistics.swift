// SPDX-License-Identifier: Apache-2.0
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

  /// Adds the elements of a batch.
  ///
  /// - Parameters:
  ///   - values: `[samples, …]`, row-major.
  ///   - samples: Extent of the first axis; must divide the number of elements.
  ///
  /// Range and averages see every element. The histogram sees every *n*-th, *n* odd and fixed by
  /// the size of a sample, so that about `countedPerSample` elements of each are counted.
  public mutating func add(_ values: UnsafeBufferPointer<Float>, samples: Int) {
    guard samples > 0, values.count >= samples else { return }
    let size = values.count / samples
    let stride = size / ValueStatistics.countedPerSample | 1
    for sample in 0..<samples {
      let part = UnsafeBufferPointer(rebasing: values[(sample * size)..<((sample + 1) * size)])
      addSample(part, stride: stride)
    }
  }

  /// Adds the elements of a tensor whose first axis is that of the samples.
  public mutating func add(_ tensor: Tensor) {
    let samples = tensor.rank == 0 ? 1 : tensor.shape[0]
    tensor.withFloats { add($0, samples: samples) }
  }

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

  private mutating func addSample(_ values: UnsafeBufferPointer<Float>, stride: Int) {
    let range = FiniteRange(values)
    notFiniteCount += range.notFiniteCount
    guard range.minimum <= range.maximum else { return }
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
    histogram.reach(max(-range.minimum, range.maximum))
    histogram.add(values, stride: stride)
  }
}
