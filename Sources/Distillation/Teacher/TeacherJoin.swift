// SPDX-License-Identifier: Apache-2.0
import GraphIR
import Training

/// Puts the teacher's nodes beside the student's, on the same samples.
///
/// Values and nodes of the teacher have its prefix; nothing of it is trained.
struct TeacherJoin: GraphTransform {
  static let prefix = "teacher/"

  let name = "teacher"

  /// Fitted to the samples.
  let teacher: Graph

  func transform(_ context: inout LossContext) throws {
    guard let input = teacher.inputs.first else { return }
    var places = [input: context.samples]
    for node in teacher.nodes {
      let inputs = node.inputs.map { value in
        value.map { place(of: $0, &places, in: &context) }
      }
      let outputs = node.outputs.map { value in
        value.map { place(of: $0, &places, in: &context) }
      }
      context.network.graph.addNode(
        node.op, name: Self.prefix + node.name, inputs: inputs, outputs: outputs)
    }
  }

  /// What a value of the teacher is in the joined graph.
  private func place(
    of value: ValueID, _ places: inout [ValueID: ValueID], in context: inout LossContext
  ) -> ValueID {
    if let known = places[value] { return known }
    let own = teacher[value]
    let made = context.network.graph.addValue(
      name: Self.prefix + own.name, type: own.type, constant: own.constant)
    places[value] = made
    return made
  }
}

/// A loss as a term of the graph that is trained, its maps looked up by name.
struct DistillationTerm: LossTerm {
  let loss: any DistillationLoss
  let pairs: [DistillationPair]

  /// The teacher's scores.
  let teacherScores: String

  var name: String { loss.name }
  var weight: Double { loss.weight }

  func addLoss(to context: inout LossContext) throws -> ValueID {
    var features: [FeaturePair] = []
    if loss.taps == nil {
      let shape = context.network.graph.type(context.targets)?.shape ?? []
      features.append(
        FeaturePair(
          student: Feature(value: context.scores, shape: shape),
          teacher: try Self.teacherFeature(teacherScores, shape, in: &context)))
    }
    for pair in pairs {
      guard let value = context.network.graph.value(named: pair.student.name) else {
        throw DistillationError.lostTap(pair.student.name)
      }
      features.append(
        FeaturePair(
          student: Feature(value: value, shape: [context.batchSize] + pair.student.shape),
          teacher: try Self.teacherFeature(
            pair.teacher.name, [context.batchSize] + pair.teacher.shape, in: &context)))
    }
    return try loss.addLoss(of: features, to: &context)
  }

  /// A value of the teacher, behind which no gradient goes.
  private static func teacherFeature(
    _ name: String, _ shape: [Int], in context: inout LossContext
  ) throws -> Feature {
    let joined = TeacherJoin.prefix + name
    guard let value = context.network.graph.value(named: joined) else {
      throw DistillationError.lostTap(joined)
    }
    return Feature(
      value: context.add(StopGradient(), [value], name: "\(joined)/fixed"), shape: shape)
  }
}

/// The loss of a part that is trained on the teacher alone.
struct PreparationTerm: LossTerm {
  let loss: any PreparedDistillationLoss
  let maps: [FeatureMap]

  var name: String { loss.name }

  func addLoss(to context: inout LossContext) throws -> ValueID {
    var features: [Feature] = []
    for map in maps {
      guard let value = context.network.graph.value(named: map.name) else {
        throw DistillationError.lostTap(map.name)
      }
      features.append(
        Feature(
          value: context.add(StopGradient(), [value], name: "\(map.name)/fixed"),
          shape: [context.batchSize] + map.shape))
    }
    return try loss.addPreparationLoss(of: features, to: &context)
  }
}

/// Trains nothing but parameters whose names begin with a prefix.
struct OnlyParameters: ParameterPolicy {
  let prefix: String

  func options(
    for parameter: TrainableParameter, standard: ParameterOptions
  ) -> ParameterOptions? {
    if parameter.name.hasPrefix(prefix) { return nil }
    var options = standard
    options.isTrained = false
    return options
  }
}
