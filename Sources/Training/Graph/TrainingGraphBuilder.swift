// SPDX-License-Identifier: Apache-2.0
import Autodiff
import CPURuntime
public import GraphIR
import GraphPasses
import TensorCore

/// Turns a network into the graphs that train it.
///
/// Training form, transforms, losses, gradients and updates are put together in this order. Values
/// and nodes are named after the network's, so two builds are alike.
public struct TrainingGraphBuilder: Sendable {
  public var recipe: TrainingRecipe

  /// Changes of the network before its gradients are taken, in order.
  public var transforms: [any GraphTransform] = []

  /// What is made small: the sum of all terms, each times its weight.
  public var lossTerms: [any LossTerm]

  /// Exceptions to the recipe for single parameters.
  public var policies: [any ParameterPolicy] = []

  public init(recipe: TrainingRecipe) {
    self.recipe = recipe
    lossTerms = [RecipeLoss(recipe.loss)]
  }

  /// The graphs for a network.
  ///
  /// - Parameters:
  ///   - network: Prepared as `PassPipeline.trainable` does.
  ///   - classCount: Classes of the data.
  /// - Throws: `TrainingError` naming what cannot be trained, or what a transform or term throws.
  public func plan(for network: Graph, classCount: Int) throws -> TrainingPlan {
    let interface = try TrainingInterface(of: network)
    var context = try context(of: network, classCount: classCount)
    for transform in transforms { try transform.transform(&context) }
    let statistics = try statisticsStep(of: context.network)

    var terms: [(name: String, value: ValueID)] = []
    var total: ValueID?
    for term in lossTerms {
      let raw = try term.addLoss(to: &context)
      var value = raw
      if term.weight != 1 {
        let weight = context.constant(Float(term.weight), name: "\(term.name)/weight")
        value = context.add(Binary(.multiply), [raw, weight], name: "\(term.name)/weighted")
      }
      terms.append((term.name, raw))
      total = total.map { context.add(Binary(.add), [$0, value], name: "loss/total") } ?? value
    }
    guard let total else { throw TrainingError.noParameters }
    var updates = UpdateBuilder(context, recipe: recipe, policies: policies)
    try updates.addGradients(of: total)
    let outputs = [total, context.scores] + (terms.count > 1 ? terms.map(\.value) : [])
    updates.setOutputs(outputs)
    let accumulation = recipe.accumulation > 1 ? updates.accumulationStep() : nil
    let update = updates.updateStep()
    let graph = update.graph
    return TrainingPlan(
      update: update, accumulation: accumulation, statistics: statistics,
      scalars: updates.scalars, imageInput: interface.inputName,
      targetInput: graph[context.targets].name, lossOutput: graph[total].name,
      scoreOutput: graph[context.scores].name,
      termOutputs: terms.map { ($0.name, graph[$0.value].name) },
      networkVariables: context.network.parameters.map(\.name)
        + context.network.statistics.map(\.name),
      statisticNames: context.network.statistics.map(\.name),
      parameterCount: updates.trained.reduce(0) { $0 + $1.initial.count })
  }

  /// The network in training form, before transforms and losses.
  ///
  /// - Throws: As `plan(for:classCount:)`.
  package func context(of network: Graph, classCount: Int) throws -> LossContext {
    let interface = try TrainingInterface(of: network)
    try interface.check(batchSize: recipe.batchSize)
    var fixed = try PassPipeline(FoldShapes(), DropDeadNodes()).run(
      try network.specialized(batch: recipe.batchSize)
    ).graph
    let scores = try Self.addScores(to: &fixed, classCount: classCount)
    fixed.setOutputs([scores])
    var form: TrainableGraph
    do {
      form = try fixed.inTrainingForm(
        TrainingFormOptions(freezesStatistics: recipe.freezesStatistics, seed: recipe.seed))
    } catch {
      throw TrainingError.notDifferentiable(reason: "\(error)")
    }
    guard let trainedScores = form.graph.outputs.first,
      let samples = form.graph.value(named: interface.inputName)
    else { throw TrainingError.noOutput }
    let targets = form.graph.addInput(
      name: form.graph.uniqueName("targets"),
      type: TensorType(.float32, shape: [recipe.batchSize, classCount]))
    var context = LossContext(
      network: form, samples: samples, scores: trainedScores, targets: targets,
      batchSize: recipe.batchSize, seed: recipe.seed)
    if let step = form.step { context.countSteps(by: step) }
    return context
  }

  /// The value that holds `[N, classes]` before any softmax, behind a reshape if that is needed.
  ///
  /// - Parameter graph: Of known shapes.
  /// - Throws: `TrainingError.noOutput` or `classCountMismatch`.
  package static func addScores(to graph: inout Graph, classCount: Int) throws -> ValueID {
    guard var scores = graph.outputs.first else { throw TrainingError.noOutput }
    let index = GraphIndex(graph)
    while let node = index.producer(of: scores), node.op is Softmax || node.op is Identity,
      let input = node.inputs.first.flatMap({ $0 })
    {
      scores = input
    }
    let shape = graph.type(scores)?.shape ?? []
    guard shape.count >= 2, shape.dropFirst().reduce(1, *) == classCount else {
      throw TrainingError.classCountMismatch(
        output: graph[scores].name, network: shape, data: classCount)
    }
    guard shape.count > 2 else { return scores }
    let flat = graph.addNode(
      Flatten(axis: 1), name: "scores", inputs: [scores], outputNames: ["scores"])[0]
    graph.inferTypes()
    return flat
  }

  /// The forward pass whose outputs are the statistics of the batch alone.
  private func statisticsStep(
    of network: TrainableGraph
  ) throws(PassError) -> TrainingStep? {
    if network.statistics.isEmpty { return nil }
    var graph = network.graph
    graph.setNodes(
      graph.nodes.map { node in
        guard var op = node.op as? BatchStatisticsNormalization else { return node }
        op.momentum = 0
        var changed = node
        changed.op = op
        return changed
      })
    graph.setOutputs(network.statistics.map(\.output))
    graph = try PassPipeline(DropDeadNodes()).run(graph).graph
    graph.dropUnusedInputs()
    let variables =
      (network.parameters.map { ($0.name, $0.input, $0.initial) }
      + network.statistics.map { ($0.name, $0.input, $0.initial) })
      .filter { graph.inputs.contains($0.1) }
      .map { TrainingVariable(name: $0.0, input: $0.1, output: nil, initial: $0.2) }
    return TrainingStep(graph: graph, variables: variables)
  }
}
