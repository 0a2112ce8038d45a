// SPDX-License-Identifier: Apache-2.0
public import CompressionCore

/// Chooses the range of real values that the codes of an activation cover.
///
/// Implementers get statistics of all samples and answer with a range that contains zero; the
/// answer must follow from the arguments alone. One file each, and a line in
/// `RangeEstimators.registry`.
public protocol RangeEstimator: Sendable {
  /// The name on the command line, such as `entropy`.
  var name: String { get }

  /// One sentence for lists of methods.
  var summary: String { get }

  /// The paper, by authors, title and year.
  var source: String { get }

  /// Whether `range(of:for:)` looks at the histogram; by default it does.
  var needsHistogram: Bool { get }

  /// The least and the greatest real value to represent.
  ///
  /// - Parameters:
  ///   - statistics: Of a value, not empty.
  ///   - request: How many codes there are and how they lie.
  func range(of statistics: ValueStatistics, for request: RangeRequest) -> ClosedRange<Double>
}

extension RangeEstimator {
  public var needsHistogram: Bool { true }

  /// The estimator in lists of methods.
  public var card: MethodCard {
    MethodCard(
      name: name, summary: summary, paper: source, shrinks: "activations to 8 or 16 bits",
      speedsUp: "products of 8-bit integers, here and in other runtimes")
  }
}

/// The integer codes that a range is chosen for.
public struct RangeRequest: Sendable, Equatable {
  /// Number of codes, such as 256.
  public var codeCount: Int

  /// Whether the range must be symmetric to zero when there are negative values.
  public var isSymmetric: Bool

  /// Fraction of values that a percentile keeps.
  public var percentile: Double

  public init(codeCount: Int = 256, isSymmetric: Bool = false, percentile: Double = 0.9999) {
    self.codeCount = codeCount
    self.isSymmetric = isSymmetric
    self.percentile = percentile
  }
}

/// The estimators that there are.
public enum RangeEstimators {
  public static let registry = MethodRegistry<any RangeEstimator>(
    family: "range estimator",
    [
      EntropyRange(), MeanSquaredErrorRange(), PercentileRange(), MinimumMaximumRange(),
      MovingAverageRange(),
    ],
    name: { $0.name })
}
