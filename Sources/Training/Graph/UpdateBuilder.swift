// SPDX-License-Identifier: Apache-2.0
import Autodiff
import CPURuntime
import GraphIR
import TensorCore

/// Adds gradients and updates to a graph that computes a loss.
struct UpdateBuilder {
  private var network: TrainableGraph
  private let recipe: TrainingRecipe
  private let options: [String: ParameterOptions]
  private var gradients: [ValueID: ValueID] = [:]
  private(set) var scalars: [StepScalar]

  /// The parameters that have a gradient and are trained.
  private(set) var trained: [TrainableGraph.Parameter] = []

  init(_ context: LossContext, recipe: TrainingRecipe, policies: [any ParameterPolicy]) {
    network = context.network
    scalars = context.scalars
    self.recipe = recipe
    var options: [String: ParameterOptions] = [:]
    for parameter in network.parameters {
      let standard = recipe.options(for: parameter)
      let own = policies.lazy.compactMap { $0.options(for: parameter, standard: standard) }.first
      options[parameter.name] = own ?? standard
    }
    self.options = options
  }

  mutating func setOutputs(_ outputs: [ValueID]) { network.graph.setOutputs(outputs) }

  /// - Throws: `TrainingError.notDifferentiable` if a node has no gradient, `noParameters` if the
  ///   loss depends on none.
  mutating func addGradients(of loss: ValueID) throws(TrainingError) {
    var objective = loss
    if recipe.accumulation > 1 {
      // Each batch contributes its share, so that sums of gradients are means.
      let share = network.graph.addConstant(
        Tensor(scalar: 1 / Float(recipe.accumulation)), name: "accumulate/share")
      objective =
        network.graph.addNode(
          Binary(.multiply), name: "accumulate/loss", inputs: [loss, share],
          outputNames: ["accumulate/loss"])[0]
    }
    network.graph.inferTypes()
    let wanted = network.parameters.filter { options[$0.name]?.isTrained ?? false }
    do {
      let result = try network.graph.addingGradients(
        of: objective, withRespectTo: wanted.map(\.input))
      network.graph = result.graph
      gradients = result.gradients
    } catch {
      throw .notDifferentiable(reason: "\(error)")
    }
    trained = wanted.filter { gradients[$0.input] != nil }
    if trained.isEmpty { throw .noParameters }
  }

  /// The step that adds gradients to their sums.
  func accumulationStep() -> TrainingStep {
    var graph = network.graph
    let keep = graph.addInput(
      name: TrainingPlan.keepInput, type: TensorType(.float32, shape: []))
    var variables = networkVariables(updated: [:])
    for parameter in trained {
      guard let gradient = gradients[parameter.input] else { continue }
      let name = Self.sumName(of: parameter)
      let sum = graph.addInput(name: name, type: type(of: parameter))
      let kept = graph.addNode(
        Binary(.multiply), name: "\(name)/keep", inputs: [sum, keep],
        outputNames: ["\(name)/kept"])[0]
      let updated = graph.addNode(
        Binary(.add), name: "\(name)/add", inputs: [kept, gradient],
        outputNames: ["\(name)/updated"])[0]
      variables.append(zeros(name, like: parameter, input: sum, output: updated))
    }
    graph.inferTypes()
    return TrainingStep(graph: graph, variables: variables)
  }

  /// The step that ends in updates of the parameters and of averages.
  mutating func updateStep() -> TrainingStep {
    var graph = network.graph
    var extra: [TrainingVariable] = []
    var totals: [ValueID] = []
    for parameter in trained {
      guard let gradient = gradients[parameter.input] else { continue }
      if recipe.accumulation == 1 {
        totals.append(gradient)
        continue
      }
      let name = Self.sumName(of: parameter)
      let sum = graph.addInput(name: name, type: type(of: parameter))
      totals.append(
        graph.addNode(
          Binary(.add), name: "\(name)/add", inputs: [sum, gradient],
          outputNames: ["\(name)/total"])[0])
      extra.append(zeros(name, like: parameter, input: sum, output: nil))
    }
    var scale: ValueID?
    if let limit = recipe.gradientClipping {
      scale =
        graph.addNode(
          ClipScale(limit: Float(limit)), name: "clip", inputs: totals, outputNames: ["clip/scale"])[
          0]
    }
    let step = addScalar("step", to: &graph) { Double($0.step + 1) }
    var rates: [Double: ValueID] = [:]
    var updated: [ValueID: ValueID] = [:]
    for (parameter, gradient) in zip(trained, totals) {
      let options = options[parameter.name] ?? ParameterOptions()
      let rule = options.rule ?? recipe.optimizer.rule
      let rate = rates[options.rateFactor] ?? addRate(options.rateFactor, to: &graph)
      rates[options.rateFactor] = rate
      let names = rule.stateNames.map { "\(parameter.name)/\($0)" }
      let state = names.map { graph.addInput(name: $0, type: type(of: parameter)) }
      let result = rule.addUpdate(
        UpdateOperands(
          name: parameter.name, weight: parameter.input, gradient: gradient, state: state,
          learningRate: rate, step: step, gradientScale: scale,
          weightDecay: Float(options.weightDecay)),
        to: &graph)
      updated[parameter.input] = result.weight
      for (name, (input, output)) in zip(names, zip(state, result.state)) {
        extra.append(zeros(name, like: parameter, input: input, output: output))
      }
    }
    var variables = networkVariables(updated: updated)
    if let averaging = recipe.averaging {
      let decay = addScalar("ema/decay", to: &graph) { averaging.decay(at: $0.step) }
      for variable in variables {
        guard let output = variable.output else { continue }
        let name = TrainingPlan.average(of: variable.name)
        let average = graph.addInput(
          name: name, type: TensorType(.float32, shape: variable.initial.shape))
        let new = graph.addNode(
          AverageUpdate(), name: "\(name)/update", inputs: [average, output, decay],
          outputNames: ["\(name)/updated"])[0]
        extra.append(
          TrainingVariable(name: name, input: average, output: new, initial: variable.initial))
      }
    }
    variables += extra
    graph.inferTypes()
    // Rules that take no count of updates leave that input unused.
    graph.dropUnusedInputs()
    return TrainingStep(graph: graph, variables: variables)
  }

  private mutating func addRate(_ factor: Double, to graph: inout Graph) -> ValueID {
    let name = factor == 1 ? "learning_rate" : "learning_rate/\(factor)"
    let (rate, schedule) = (recipe.learningRate * factor, recipe.schedule)
    return addScalar(name, to: &graph) { rate * schedule.factor(at: $0) }
  }

  private mutating func addScalar(
    _ name: String, to graph: inout Graph, _ value: @escaping @Sendable (StepPosition) -> Double
  ) -> ValueID {
    let id = graph.addInput(name: graph.uniqueName(name), type: TensorType(.float32, shape: []))
    scalars.append(StepScalar(name: graph[id].name, value: value))
    return id
  }

  /// Parameters, with new values where there are any, and statistics.
  private func networkVariables(updated: [ValueID: ValueID]) -> [TrainingVariable] {
    network.parameters.map {
      TrainingVariable(
        name: $0.name, input: $0.input, output: updated[$0.input], initial: $0.initial)
    }
      + network.statistics.map {
        TrainingVariable(name: $0.name, input: $0.input, output: $0.output, initial: $0.initial)
      }
  }

  private func zeros(
    _ name: String, like parameter: TrainableGraph.Parameter, input: ValueID, output: ValueID?
  ) -> TrainingVariable {
    TrainingVariable(
      name: name, input: input, output: output,
      initial: Tensor(zerosOf: .float32, shape: parameter.initial.shape))
  }

  private func type(of parameter: TrainableGraph.Parameter) -> TensorType {
    TensorType(.float32, shape: parameter.initial.shape)
  }

  private static func sumName(of parameter: TrainableGraph.Parameter) -> String {
    "\(parameter.name)/gradient"
  }
}
