// SPDX-License-Identifier: Apache-2.0
public import DataIO
public import GraphIR
import GraphPasses
import TensorCore

/// Trains a network.
///
/// ```swift
/// let trainer = try Trainer(network, recipe: recipe)
/// let result = try trainer.train(on: source, validation: held) { event in … }
/// try OnnxModel.write(result.network, to: url)
/// ```
///
/// The same network, recipe and data give the same weights to the last bit, whatever the number of
/// threads and however often training was stopped and resumed.
public struct Trainer: Sendable {
  /// The network in the form of `PassPipeline.trainable`: the one that trained values are put into.
  public let network: Graph
  public let recipe: TrainingRecipe
  public var options: TrainerOptions

  /// Transforms, losses and exceptions to the recipe; the recipe's loss alone by default.
  public var builder: TrainingGraphBuilder

  /// What takes part beside the recipe; `add(_:)` adds to it.
  public internal(set) var methods: [any TrainingMethod] = []

  /// What runs the steps.
  package var backend = TrainingBackend.compiled

  /// - Parameters:
  ///   - network: Batch norms unfolded, as files of training frameworks and the zoo have them; its
  ///     constants are the initial values.
  /// - Throws: `TrainingError` if the recipe makes no sense or the network has not one input with a
  ///   batch dimension, `PassError` if a pass breaks the network.
  public init(
    _ network: Graph, recipe: TrainingRecipe, options: TrainerOptions = TrainerOptions()
  ) throws {
    try recipe.validate()
    self.network = try PassPipeline.trainable.run(network).graph
    self.recipe = recipe
    self.options = options
    builder = TrainingGraphBuilder(recipe: recipe)
    let interface = try TrainingInterface(of: self.network)
    try interface.check(batchSize: recipe.batchSize)
  }

  /// The graphs that train this network.
  ///
  /// - Throws: As `TrainingGraphBuilder.plan(for:classCount:)`.
  public func plan(classCount: Int) throws -> TrainingPlan {
    try builder.plan(for: network, classCount: classCount)
  }

  /// Trains to the end of the recipe, or until it is stopped.
  ///
  /// - Parameters:
  ///   - training: Full batches of the recipe's size.
  ///   - validation: Samples for evaluations and for stopping early.
  ///   - test: Samples that are scored whenever there is an evaluation, and change nothing.
  ///   - report: Called for every event, on the thread that trains.
  /// - Throws: `TrainingError` if data, network or checkpoint don't fit, the loss stops being a
  ///   number, or a checkpoint cannot be written; what a source throws for data that cannot be
  ///   read. The last checkpoint stays as it is.
  public func train(
    on training: any BatchSource, validation: (any BatchSource)? = nil,
    test: (any BatchSource)? = nil, report: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws -> TrainingResult {
    try TrainingInterface(of: network).check(sampleShape: training.sampleShape)
    let run = try TrainingRun(
      self, training: training, validation: validation, test: test, report: report)
    return try run.result()
  }

  /// The score of a network on labelled batches, compiled as for inference.
  ///
  /// - Throws: What compiling or reading throws.
  public static func score(
    of network: Graph, on source: any BatchSource, threads: Int? = nil
  ) throws -> Score {
    try NetworkScorer(network, batchSize: source.batchSize, threads: threads).score(on: source)
  }
}
