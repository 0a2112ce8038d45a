// SPDX-License-Identifier: Apache-2.0
import Autodiff
import DataIO
import GraphIR
import TensorCore

extension TrainingRun {
  /// The values of the network's constants: averages where the recipe asks for them.
  func currentValues() -> [String: Tensor] {
    var values: [String: Tensor] = [:]
    for name in plan.networkVariables {
      let average = recipe.averaging == nil ? nil : TrainingPlan.average(of: name)
      values[name] = average.flatMap { session.value(of: $0) } ?? session.value(of: name)
    }
    return values
  }

  /// The network with other constants; variables that are none of its constants are left out.
  func network(with values: [String: Tensor]) throws -> Graph {
    try trainer.network.settingConstants(values.filter { isConstant($0.key) })
  }

  /// Whether a variable is a constant of the network, and not one that a method added.
  func isConstant(_ name: String) -> Bool { constantNames.contains(name) }

  /// All variables that outlive an update.
  func state() -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for variable in plan.update.variables where variable.output != nil || isOfNetwork(variable.name)
    {
      tensors[variable.name] = session.value(of: variable.name)
    }
    return tensors
  }

  private func isOfNetwork(_ name: String) -> Bool { plan.networkVariables.contains(name) }

  /// Scores the network that is used under given values on what data there is.
  func evaluate(_ values: [String: Tensor], into epoch: inout EpochReport) throws {
    let sources = [validation, test].compactMap { $0 }
    if sources.isEmpty { return }
    let scorer = try NetworkScorer(
      try trainer.deployed(try network(with: values), values: values), batchSize: recipe.batchSize,
      threads: trainer.options.threads)
    let total = sources.reduce(0) { $0 + $1.batchesPerEpoch }
    var before = 0
    func score(_ source: (any BatchSource)?) throws -> Score? {
      guard let source else { return nil }
      defer { before += source.batchesPerEpoch }
      return try scorer.score(on: source) { done, _ in
        try checkInterrupt()
        report(.evaluating(done: before + done, of: total))
      }
    }
    epoch.validation = try score(validation)
    epoch.test = try score(test)
  }

  /// Computes statistics of batch norms anew, as means over training batches under fixed weights.
  ///
  /// - Returns: Whether the recipe asks for it and the network has any.
  func reestimate(_ values: inout [String: Tensor]) throws -> Bool {
    guard recipe.reestimationBatches > 0, let step = plan.statistics else { return false }
    let session = try trainer.backend.session(
      [step], precision: recipe.precision, threads: trainer.options.threads)
    for variable in step.variables {
      if let value = values[variable.name] { try session.set(value, for: variable.name) }
    }
    let wanted = min(recipe.reestimationBatches, training.batchesPerEpoch)
    let stream = training.batches(epoch: recipe.epochs, startingAt: 0)
    var sums: [String: [Double]] = [:]
    var count = 0
    let names = Set(step.graph.inputs.map { step.graph[$0].name })
    let position = StepPosition(step: progress.step, totalSteps: progress.step, stepsPerEpoch: 1)
    while count < wanted, let batch = try stream.next() {
      try checkInterrupt()
      var inputs = [plan.imageInput: batch.images]
      for scalar in plan.scalars where names.contains(scalar.name) {
        inputs[scalar.name] = scalar.tensor(at: position)
      }
      for (name, tensor) in try session.run(0, inputs) {
        let reals = tensor.reals()
        sums[name] = sums[name].map { zip($0, reals).map(+) } ?? reals
      }
      count += 1
    }
    for (name, output) in zip(plan.statisticNames, step.graph.outputs) {
      guard let sum = sums[step.graph[output].name], let shape = values[name]?.shape else {
        continue
      }
      values[name] = Tensor(sum.map { Float($0 / Double(count)) }, shape: shape)
    }
    report(.reestimated(batches: count))
    return true
  }
}

extension Graph {
  /// Names of constants, and of results of nothing but `Identity` on one.
  fileprivate var storedConstants: [String] {
    var stored = Set(valueIDs.filter { self[$0].constant != nil })
    for node in nodes where node.op is Identity {
      if let input = node.inputs.first ?? nil, stored.contains(input),
        let output = node.outputs.first ?? nil
      {
        stored.insert(output)
      }
    }
    return stored.map { self[$0].name }
  }

  var storedConstantNames: Set<String> { Set(storedConstants) }
}
