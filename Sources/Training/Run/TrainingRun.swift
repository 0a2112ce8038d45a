// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import DataIO
import GraphIR
import TensorCore

/// One run of training: the loop and its progress.
///
/// A class because its steps change variables in place.
final class TrainingRun {
  let trainer: Trainer
  let recipe: TrainingRecipe
  let training: any BatchSource
  let validation: (any BatchSource)?
  let test: (any BatchSource)?
  let report: (TrainingEvent) -> Void
  let plan: TrainingPlan
  let session: any TrainingSession
  let store: CheckpointStore?
  let clock = ContinuousClock()
  let constantNames: Set<String>
  private let stepsPerEpoch: Int
  private let totalSteps: Int

  var progress = TrainingProgress()
  var bestValues: [String: Tensor] = [:]

  /// Tells runs apart that begin with other weights.
  var name = ""
  var savedAt: ContinuousClock.Instant
  private var trainedSeconds = 0.0
  private var trainedSamples = 0

  /// A mean that the updates of about the last half minute make up.
  private var secondsPerUpdate: Double?

  init(
    _ trainer: Trainer, training: any BatchSource, validation: (any BatchSource)?,
    test: (any BatchSource)?, report: @escaping (TrainingEvent) -> Void
  ) throws {
    self.trainer = trainer
    constantNames = trainer.network.storedConstantNames
    recipe = trainer.recipe
    self.training = training
    self.validation = validation
    self.test = test
    self.report = report
    guard training.batchSize == recipe.batchSize else {
      throw TrainingError.batchSizeMismatch(recipe: recipe.batchSize, data: training.batchSize)
    }
    if let patience = recipe.earlyStopPatience, validation == nil {
      throw TrainingError.invalidField(
        field: TrainingRecipe.Field.earlyStopPatience.rawValue,
        found: "\(patience) without validation",
        accepted: "data for validation, such as validation_share above 0")
    }
    stepsPerEpoch = training.batchesPerEpoch / recipe.accumulation
    totalSteps = stepsPerEpoch * recipe.epochs
    guard stepsPerEpoch > 0 || recipe.epochs == 0 else {
      throw TrainingError.tooFewBatches(
        batches: training.batchesPerEpoch, wanted: recipe.accumulation)
    }
    store = trainer.options.checkpoints.map { CheckpointStore(path: $0.path) }
    try store?.checkWritable()
    store?.repair()
    plan = try trainer.plan(classCount: training.classCount)
    session = try trainer.backend.session(
      [plan.update] + (plan.accumulation.map { [$0] } ?? []), precision: recipe.precision,
      threads: trainer.options.threads)
    savedAt = clock.now
    name = initialDigest()
  }

  /// Trains, and sums up.
  func result() throws -> TrainingResult {
    let finished = try resume()
    report(
      .started(
        TrainingOverview(
          parameters: plan.parameterCount, batchesPerEpoch: training.batchesPerEpoch,
          stepsPerEpoch: stepsPerEpoch, totalSteps: totalSteps, stepsDone: progress.step,
          arenaBytes: session.arenaByteCount)))
    if let finished { return try summary(finished) }
    do {
      while progress.epoch < recipe.epochs, !hasReachedLimit, !progress.wasStoppedEarly {
        try trainEpoch()
        if !hasReachedLimit || progress.batch == epochBatches { try endEpoch() }
      }
      return try summary(try finish())
    } catch is TrainingInterruption {
      try save(currentValues())
      report(.interrupted(step: progress.step))
      var result = try summary(FinishedNetwork(values: currentValues()))
      result.ending = .interrupted
      return result
    }
  }

  /// - Throws: `TrainingInterruption` if training was asked to stop.
  func checkInterrupt() throws {
    if trainer.options.interrupt?.isRaised ?? false { throw TrainingInterruption() }
  }
}

/// Ends a run that was asked to stop.
struct TrainingInterruption: Error {}

extension TrainingRun {
  private var hasReachedLimit: Bool {
    trainer.options.stepLimit.map { progress.step >= $0 } ?? false
  }

  /// Batches of an epoch that take part: those that fill updates.
  private var epochBatches: Int { stepsPerEpoch * recipe.accumulation }

  private func position(_ step: Int) -> StepPosition {
    StepPosition(step: step, totalSteps: totalSteps, stepsPerEpoch: stepsPerEpoch)
  }

  private func learningRate(_ step: Int) -> Double {
    recipe.learningRate * recipe.schedule.factor(at: position(step))
  }

  private func trainEpoch() throws {
    if progress.batch >= epochBatches { return }
    let stream = training.batches(epoch: progress.epoch, startingAt: progress.batch)
    while progress.batch < epochBatches, !hasReachedLimit {
      try checkInterrupt()
      let start = clock.now
      let loss = try update(from: stream)
      noteUpdate(seconds: (clock.now - start) / .seconds(1))
      trainedSamples += recipe.batchSize * recipe.accumulation
      reportStep(loss)
      try saveIfDue()
    }
  }

  private func noteUpdate(seconds: Double) {
    trainedSeconds += seconds
    let mean = secondsPerUpdate ?? seconds
    let weight = max(min(seconds / 30, 1), seconds / max(trainedSeconds, .leastNormalMagnitude))
    secondsPerUpdate = mean + (seconds - mean) * weight
  }

  /// Makes one update of as many batches as the recipe accumulates.
  private func update(from stream: BatchStream) throws -> [String: Double] {
    let position = position(progress.step)
    var meter = progress.meter
    var sums: [String: Double] = [:]
    for micro in 0..<recipe.accumulation {
      guard let batch = try stream.next(), batch.labels.count == recipe.batchSize else {
        throw TrainingError.endOfData(
          epoch: progress.epoch, batch: progress.batch + micro, expected: epochBatches)
      }
      let isLast = micro == recipe.accumulation - 1
      let step = isLast ? plan.update : plan.accumulation ?? plan.update
      let names = Set(step.graph.inputs.map { step.graph[$0].name })
      // What is learnt without labels takes no targets.
      var inputs = [plan.imageInput: batch.images, plan.targetInput: batch.targets]
        .filter { names.contains($0.key) }
      for scalar in plan.scalars where names.contains(scalar.name) {
        inputs[scalar.name] = scalar.tensor(at: position)
      }
      if names.contains(TrainingPlan.keepInput) {
        inputs[TrainingPlan.keepInput] = Tensor(scalar: Float(micro == 0 ? 0 : 1))
      }
      let outputs = try session.run(isLast ? 0 : 1, inputs)
      for name in Set([plan.lossOutput] + plan.termOutputs.map(\.output)) {
        let value = outputs[name]?.floats().first ?? .nan
        guard value.isFinite else {
          throw TrainingError.diverged(step: progress.step, epoch: progress.epoch)
        }
        sums[name, default: 0] += Double(value) / Double(recipe.accumulation)
      }
      meter.add(outputs[plan.scoreOutput], labels: batch.labels)
    }
    meter.loss += (sums[plan.lossOutput] ?? 0) * Double(recipe.accumulation)
    if let terms = terms(sums) {
      let scaled = terms.mapValues { $0 * Double(recipe.accumulation) }
      meter.terms = (meter.terms ?? [:]).merging(scaled, uniquingKeysWith: +)
    }
    progress.meter = meter
    progress.step += 1
    progress.batch += recipe.accumulation
    return sums
  }

  /// The loss terms by name, where there are several.
  private func terms(_ losses: [String: Double]) -> [String: Double]? {
    guard plan.termOutputs.count > 1 else { return nil }
    return Dictionary(
      plan.termOutputs.map { ($0.term, losses[$0.output] ?? 0) }, uniquingKeysWith: +)
  }

  private func reportStep(_ losses: [String: Double]) {
    let updateSize = Double(recipe.batchSize * recipe.accumulation)
    let speed = secondsPerUpdate.map { $0 > 0 ? updateSize / $0 : 0 } ?? 0
    let samplesLeft = (totalSteps - progress.step) * recipe.batchSize * recipe.accumulation
    report(
      .stepped(
        StepReport(
          step: progress.step, totalSteps: totalSteps, epoch: progress.epoch,
          stepInEpoch: progress.batch / recipe.accumulation, stepsPerEpoch: stepsPerEpoch,
          loss: losses[plan.lossOutput] ?? 0,
          terms: terms(losses) ?? [:],
          learningRate: learningRate(progress.step - 1), trainingTop1: progress.meter.top1,
          imagesPerSecond: speed,
          secondsLeft: speed > 0 ? Double(samplesLeft) / speed : 0)))
  }

  private func endEpoch() throws {
    var epoch = epochReport
    let isLast = progress.epoch == recipe.epochs - 1 || hasReachedLimit
    if isLast || (progress.epoch + 1) % recipe.evaluationInterval == 0 {
      try evaluate(currentValues(), into: &epoch)
    }
    if recipe.earlyStopPatience != nil, let score = epoch.validation {
      if score.top1 > progress.best?.validation?.top1 ?? -1 {
        progress.best = epoch
        progress.evaluationsWithoutGain = 0
        bestValues = currentValues()
      } else {
        progress.evaluationsWithoutGain += 1
      }
    }
    progress.history.append(epoch)
    progress.epoch += 1
    progress.batch = 0
    progress.meter = EpochMeter()
    report(.epochEnded(epoch))
    if let patience = recipe.earlyStopPatience, progress.evaluationsWithoutGain >= patience,
      let best = progress.best
    {
      progress.wasStoppedEarly = true
      report(.stoppedEarly(best))
    }
    try saveAtEndOfEpoch(isLast: isLast)
  }

  private var epochReport: EpochReport {
    EpochReport(
      epoch: progress.epoch, step: progress.step, loss: progress.meter.meanLoss,
      trainingTop1: progress.meter.top1, learningRate: learningRate(max(progress.step - 1, 0)),
      terms: progress.meter.meanTerms)
  }

  /// Chooses the values to keep, computes statistics anew and scores the result.
  private func finish() throws -> FinishedNetwork {
    var values = currentValues()
    if let best = progress.best, !bestValues.isEmpty, best != progress.history.last {
      values = bestValues
    }
    let last = progress.best ?? progress.history.last
    let isReestimated = try reestimate(&values)
    var finished = FinishedNetwork(
      values: values, validation: last?.validation, test: last?.test)
    if isReestimated || progress.batch > 0 || progress.history.isEmpty {
      var epoch = epochReport
      try evaluate(values, into: &epoch)
      (finished.validation, finished.test) = (epoch.validation, epoch.test)
    }
    if progress.epoch == recipe.epochs || progress.wasStoppedEarly {
      progress.isComplete = true
      progress.finalScores = FinalScores(validation: finished.validation, test: finished.test)
    }
    try save(values)
    return finished
  }

  private func summary(_ finished: FinishedNetwork) throws -> TrainingResult {
    var network = try network(with: finished.values)
    if store != nil { network = marked(network) }
    return TrainingResult(
      ending: progress.wasStoppedEarly ? .stoppedEarly : .completed, network: network,
      deployed: try trainer.deployed(network, values: finished.values),
      steps: progress.step, history: progress.history, validation: finished.validation,
      test: finished.test, state: state(),
      imagesPerSecond: trainedSeconds > 0 ? Double(trainedSamples) / trainedSeconds : 0)
  }
}

/// The values of a network at the end of training, and its scores.
struct FinishedNetwork {
  var values: [String: Tensor]
  var validation: Score?
  var test: Score?
}

extension EpochMeter {
  /// Counts one batch, the loss left out.
  mutating func add(_ scores: Tensor?, labels: [Int]) {
    batches += 1
    samples += labels.count
    let rows = scores?.floats() ?? []
    let width = rows.count / max(labels.count, 1)
    for (row, label) in labels.enumerated() where width > 0 {
      if rows[row * width..<(row + 1) * width].indexOfGreatest == label { correct += 1 }
    }
  }
}
