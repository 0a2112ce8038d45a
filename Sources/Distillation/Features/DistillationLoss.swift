// SPDX-License-Identifier: Apache-2.0
public import GraphIR
public import TensorCore
public import Training

/// A way to say how far a student is from its teacher.
///
/// An implementer is a value in a file of its own, with an entry in `DistillationLosses`. Its loss is
/// zero where both are the same, and never negative but for rounding.
public protocol DistillationLoss: Sendable {
  /// As on its card.
  var name: String { get }

  /// Factor in the sum of all terms.
  var weight: Double { get }

  /// Factor that it leaves to the recipe's loss, which compares with the labels.
  var labelFactor: Double { get }

  /// The feature maps that it compares; `nil` if it compares scores.
  var taps: FeatureTaps? { get }

  /// Adds the nodes; returns a float scalar.
  ///
  /// - Parameter pairs: Scores, or feature maps, of student and teacher. No gradient goes into the
  ///   teacher's.
  func addLoss(of pairs: [FeaturePair], to context: inout LossContext) throws -> ValueID
}

extension DistillationLoss {
  public var labelFactor: Double { 1 }
}

/// A loss with a part that is trained without labels on the teacher, before the student is.
public protocol PreparedDistillationLoss: DistillationLoss {
  /// Whether the part is there.
  var isPrepared: Bool { get }

  /// How the part is trained.
  ///
  /// - Parameter recipe: The student's.
  func preparation(for recipe: TrainingRecipe) -> TrainingRecipe

  /// What training the part makes small; its parameters have names that begin with
  /// `preparedPrefix`.
  ///
  /// - Parameter features: The teacher's.
  func addPreparationLoss(
    of features: [Feature], to context: inout LossContext
  ) throws -> ValueID

  /// What the names of the part's parameters begin with.
  var preparedPrefix: String { get }

  /// The loss with the part.
  ///
  /// - Parameter values: Trained values of its parameters by name.
  func prepared(with values: [String: Tensor]) -> any DistillationLoss
}

/// A value of a network, and its shape with the batch in front.
public struct Feature: Sendable {
  public var value: ValueID
  public var shape: [Int]

  public init(value: ValueID, shape: [Int]) {
    self.value = value
    self.shape = shape
  }

  /// Elements of one sample.
  var width: Int { shape.dropFirst().reduce(1, *) }
}

/// What a student's value is to be like.
public struct FeaturePair: Sendable {
  public var student: Feature
  public var teacher: Feature

  public init(student: Feature, teacher: Feature) {
    self.student = student
    self.teacher = teacher
  }
}
