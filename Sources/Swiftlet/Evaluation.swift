// SPDX-License-Identifier: Apache-2.0

/// How well a network scored samples.
public struct Evaluation: Sendable, Equatable {
  /// The score of one class.
  public struct ClassScore: Sendable, Equatable {
    public var label: Int
    public var count: Int
    /// Samples whose best score was the label's.
    public var correct: Int

    /// `correct` as a fraction of `count`.
    public var accuracy: Double { count > 0 ? Double(correct) / Double(count) : 0 }
  }

  /// Samples measured.
  public var count = 0

  /// Scores of the classes that occur, by label; empty for unlabelled data.
  public var classes: [ClassScore] = []

  /// Fraction of samples whose label has the best score; `nil` for unlabelled data.
  public var top1: Double?

  /// Fraction of samples whose label is among the five best; `nil` for unlabelled data.
  public var top5: Double?

  /// Scores per sample.
  public var scoreCount = 0

  /// `top5`, where there are more than five classes.
  public var meaningfulTop5: Double? { scoreCount > 5 ? top5 : nil }

  /// Fraction of samples with the same best class as the reference network's; `nil` without one.
  public var agreement: Double?

  /// Power of the reference network's scores over that of the difference from them, in decibels;
  /// infinite where nothing differs, `nil` without a reference.
  public var signalToNoise: Double?

  /// Seconds spent in the network, data loading left out.
  public var seconds = 0.0
}
