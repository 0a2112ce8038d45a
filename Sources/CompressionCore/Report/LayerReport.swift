// SPDX-License-Identifier: Apache-2.0

/// What a method did to one layer, and what it cost.
public struct LayerReport: Codable, Sendable, Equatable {
  /// The node's name as in the file.
  public var name: String

  /// The operator, such as `Conv`.
  public var kind: String

  /// The name of the layer's result, activation included.
  public var output: String

  /// Bits of a weight and of an activation.
  public var weightBits: Int
  public var activationBits: Int

  /// Signal to noise of the result against that of the float network, in decibel; `nil` if it was
  /// not measured.
  ///
  /// Errors of the layers before are part of it.
  public var outputDecibels: Double?

  /// Signal to noise of the weights, in decibel; `nil` where they did not change at all.
  public var weightDecibels: Double?

  /// Least and greatest value of the result on the samples, and the range its codes cover.
  public var observed: ValueRange
  public var covered: ValueRange

  /// Fraction of the values that lie within `covered`.
  public var shareKept: Double

  /// Why it hurts, in plain words; `nil` where nothing stands out.
  public var cause: String?

  /// The option that would mend it.
  public var remedy: String?

  /// Distributions, for the layers that hurt most.
  public var weightHistogram: HistogramReport?
  public var activationHistogram: HistogramReport?

  public init(
    name: String, kind: String, output: String, weightBits: Int, activationBits: Int,
    observed: ValueRange, covered: ValueRange, shareKept: Double
  ) {
    self.name = name
    self.kind = kind
    self.output = output
    self.weightBits = weightBits
    self.activationBits = activationBits
    self.observed = observed
    self.covered = covered
    self.shareKept = shareKept
  }
}

/// Two ends of a range of real values.
public struct ValueRange: Codable, Sendable, Equatable {
  public var lower: Float
  public var upper: Float

  public init(lower: Float, upper: Float) {
    self.lower = lower
    self.upper = upper
  }
}

/// A distribution as a picture shows it, with the grid of codes over it.
public struct HistogramReport: Codable, Sendable, Equatable {
  /// The bins reach over this range, all equally wide.
  public var range: ValueRange
  public var counts: [UInt64]

  /// The range that codes cover, and the width of a step; of several scales the widest.
  public var covered: ValueRange
  public var step: Float

  public init(range: ValueRange, counts: [UInt64], covered: ValueRange, step: Float) {
    self.range = range
    self.counts = counts
    self.covered = covered
    self.step = step
  }

  /// Number of bins of the pictures.
  public static let binCount = 64
}
