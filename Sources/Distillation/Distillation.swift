// SPDX-License-Identifier: Apache-2.0
public import DataIO
import GraphIR
import GraphPasses
import TensorCore
public import Training

/// Training a student with a teacher beside it.
///
/// The teacher's graph is joined to the student's, forward only; losses compare the two. Several may
/// work together, and with other methods.
///
/// ```swift
/// var distillation = try Distillation(teacher: teacher, losses: losses, for: trainer, classCount: 10)
/// _ = try distillation.prepare(on: source)
/// trainer.add(distillation)
/// ```
public struct Distillation: TrainingMethod {
  /// A loss and what it compares.
  public struct Part: Sendable {
    public internal(set) var loss: any DistillationLoss

    /// Empty for a loss that compares scores.
    public let pairs: [DistillationPair]
  }

  public let teacher: Teacher
  public private(set) var parts: [Part]
  public let studentMaps: FeatureMaps
  public let teacherMaps: FeatureMaps

  private let recipe: TrainingRecipe
  private let fitted: Graph

  public var name: String { "distillation" }

  /// Decides what is compared with what.
  ///
  /// - Parameters:
  ///   - trainer: The student's.
  ///   - classCount: Classes of the data.
  /// - Throws: `DistillationError` if the teacher does not fit or a map is not there; what bringing
  ///   the student into training form throws.
  public init(
    teacher: Teacher, losses: [any DistillationLoss], for trainer: Trainer, classCount: Int
  ) throws {
    guard !losses.isEmpty else {
      throw DistillationError.noLoss(known: DistillationLosses.family.cards.map(\.name))
    }
    let context = try trainer.builder.context(of: trainer.network, classCount: classCount)
    let student = context.network.graph
    recipe = trainer.recipe
    fitted = try teacher.fitted(
      to: student.type(context.samples)?.shape ?? [], classCount: classCount)
    studentMaps = FeatureMaps(of: student, from: context.samples, to: context.scores)
    teacherMaps = FeatureMaps(of: fitted, from: fitted.inputs[0], to: fitted.outputs[0])
    self.teacher = teacher
    parts = []
    for loss in losses {
      parts.append(Part(loss: loss, pairs: try pairs(for: loss)))
    }
  }

  private func pairs(
    for loss: any DistillationLoss
  ) throws(DistillationError) -> [DistillationPair] {
    guard let taps = loss.taps else { return [] }
    let student = try taps.student.chosen(from: studentMaps, of: "student")
    let teacher = try taps.teacher.chosen(from: teacherMaps, of: "teacher")
    guard student.count == teacher.count else {
      throw .unevenTaps(
        loss: loss.name, student: student.map(\.name), teacher: teacher.map(\.name))
    }
    return zip(student, teacher).map { DistillationPair(student: $0, teacher: $1) }
  }
}

extension Distillation {
  public var transforms: [any GraphTransform] { [TeacherJoin(teacher: fitted)] }

  public var lossTerms: [any LossTerm] {
    let scores = fitted[fitted.outputs[0]].name
    return parts.map {
      DistillationTerm(loss: $0.loss, pairs: $0.pairs, teacherScores: scores)
    }
  }

  public var recipeLossFactor: Double { parts.reduce(1) { $0 * $1.loss.labelFactor } }
}

/// A map of the student and the one of the teacher that it is compared with.
public struct DistillationPair: Sendable, Equatable {
  public var student: FeatureMap
  public var teacher: FeatureMap
}

// What is trained before the student.
extension Distillation {
  /// The losses with a part that is still to be trained.
  public var unprepared: [any PreparedDistillationLoss] {
    parts.compactMap { $0.loss as? any PreparedDistillationLoss }.filter { !$0.isPrepared }
  }

  /// Trains the parts of losses that must be there before the student is trained.
  ///
  /// - Parameters:
  ///   - source: The student's training samples; labels are not used.
  ///   - options: A checkpoint's path gets the loss's name.
  ///   - report: Called for every event.
  /// - Returns: `false` if it was asked to stop before all are trained.
  /// - Throws: As `Trainer.train`.
  public mutating func prepare(
    on source: any BatchSource, options: TrainerOptions = TrainerOptions(),
    report: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws -> Bool {
    for index in parts.indices {
      guard let loss = parts[index].loss as? any PreparedDistillationLoss, !loss.isPrepared else {
        continue
      }
      var own = options
      own.stepLimit = nil
      if var checkpoints = options.checkpoints {
        let stem =
          checkpoints.path.hasSuffix(".onnx")
          ? String(checkpoints.path.dropLast(5)) : checkpoints.path
        checkpoints.path = "\(stem).\(loss.name).onnx"
        own.checkpoints = checkpoints
      }
      var trainer = try Trainer(
        fitted, recipe: loss.preparation(for: recipe), options: own)
      trainer.builder.lossTerms = [
        PreparationTerm(loss: loss, maps: parts[index].pairs.map(\.teacher))
      ]
      trainer.builder.policies = [OnlyParameters(prefix: loss.preparedPrefix)]
      let result = try trainer.train(on: source, report: report)
      if result.ending == .interrupted { return false }
      parts[index].loss = loss.prepared(
        with: result.state.filter { $0.key.hasPrefix(loss.preparedPrefix) })
    }
    return true
  }
}
