// SPDX-License-Identifier: Apache-2.0
import Foundation
import GraphIR
import OnnxIO
import TensorCore
import TestSupport
import Testing
import Training

@Suite("A trainer")
struct TrainerTests {
  @Test("lowers the loss, tells of every step and epoch, and keeps everything but constants")
  func learning() throws {
    let network = SmallNetwork.classifier()
    var steps: [StepReport] = []
    var epochs: [EpochReport] = []
    let result = try Trainer.interpreted(network, .small(epochs: 4)).train(
      on: MadeBatches(), validation: MadeBatches(seed: 7, lastBatch: 3), test: MadeBatches(seed: 8)
    ) { event in
      switch event {
      case .stepped(let report): steps.append(report)
      case .epochEnded(let report): epochs.append(report)
      default: break
      }
    }
    #expect(result.ending == .completed)
    #expect(steps.map(\.step) == Array(1...24))
    #expect(steps.map(\.epoch) == (0..<4).flatMap { [Int](repeating: $0, count: 6) })
    #expect(epochs == result.history)
    #expect(epochs.count == 4)
    #expect(epochs[3].loss < epochs[0].loss)
    #expect(epochs[3].validation?.count == 23)
    #expect(epochs[3].test?.count == 24)
    #expect(result.test == epochs[3].test)
    #expect(result.network.nodes.map(\.op.kind) == network.nodes.map(\.op.kind))
    #expect(result.network.value(named: "conv.weight") == network.value(named: "conv.weight"))
    #expect(result.state["conv.weight/velocity"]?.shape == [6, 3, 3, 3])
  }

  @Test(
    "gives the same network for compiled steps as for the operators' reference meaning",
    arguments: [1, 2, 3, 4, 16])
  func compiled(_ batchSize: Int) throws {
    var recipe = TrainingRecipe.small()
    recipe.batchSize = batchSize
    let source = MadeBatches(batchSize: batchSize)
    let expected = try Trainer.interpreted(SmallNetwork.classifier(), recipe).train(on: source)
    let result = try Trainer(SmallNetwork.classifier(), recipe: recipe).train(on: source)
    for (name, tensor) in expected.state {
      let found = try #require(result.state[name]).reals()
      for (a, b) in zip(found, tensor.reals()) {
        // Twelve steps in float32 that sum in another order.
        #expect(abs(a - b) <= 1e-4 * max(1, abs(b)), "\(name): \(a) for \(b)")
      }
    }
  }

  @Test(
    "gives the same bits for any number of threads",
    arguments: [
      TrainingRecipe.Precision.fp32, .bf16,
    ])
  func threads(_ precision: TrainingRecipe.Precision) throws {
    var recipe = TrainingRecipe.small()
    recipe.precision = precision
    let results = try [1, 2, 3].map { threads in
      try Trainer(
        SmallNetwork.classifier(), recipe: recipe, options: TrainerOptions(threads: threads)
      ).train(on: MadeBatches())
    }
    #expect(results[0].state == results[1].state)
    #expect(results[0].state == results[2].state)
  }

  @Test("writes a network that scores the same, to the bit, when it is read back")
  func roundTrip() throws {
    let folder = try ScratchFolder()
    let url = URL(fileURLWithPath: folder.file("net.onnx"))
    let held = MadeBatches(seed: 7)
    let result = try Trainer.interpreted().train(on: MadeBatches(), validation: held)
    try OnnxModel.write(result.network, to: url)
    let read = try OnnxModel.read(contentsOf: url)
    let score = try Trainer.score(of: read, on: held)
    #expect(score == result.validation)
    // Training goes on from the file as from memory.
    let fromFile = try Trainer.interpreted(read).train(on: MadeBatches())
    let fromMemory = try Trainer.interpreted(result.network).train(on: MadeBatches())
    #expect(fromFile.state == fromMemory.state)
  }

  @Test("computes statistics anew as means over batches under the final weights")
  func reestimation() throws {
    var recipe = TrainingRecipe.small(epochs: 0)
    recipe.reestimationBatches = 3
    let network = SmallNetwork.classifier()
    let result = try Trainer.interpreted(network, recipe).train(on: MadeBatches())
    let index = GraphIndex(network)
    var probe = network
    probe.setOutputs([try #require(network.value(named: "conv.out"))])
    #expect(index.producer(of: probe.outputs[0])?.op is Conv)
    var means = [Double](repeating: 0, count: 6)
    var variances = means
    for number in 0..<3 {
      let batch = try MadeBatches().batch(epoch: 0, number)
      let values = try Interpreter(probe).run(["input": batch.images])[0].reals()
      for channel in 0..<6 {
        let own = values.enumerated().filter { $0.offset / 64 % 6 == channel }.map(\.element)
        let mean = own.reduce(0, +) / Double(own.count)
        means[channel] += mean / 3
        variances[channel] +=
          own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(own.count - 1) / 3
      }
    }
    let trained = result.network
    for (name, expected) in [("norm.mean", means), ("norm.variance", variances)] {
      let found = try #require(trained.constant(trained.value(named: name))).reals()
      for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-5, "\(name)") }
    }
    #expect(
      trained.constant(trained.value(named: "conv.weight"))
        == network.constant(network.value(named: "conv.weight")))
  }

  @Test("stops early and keeps the best weights")
  func earlyStop() throws {
    var recipe = TrainingRecipe.small(epochs: 30)
    recipe.earlyStopPatience = 2
    // Steps so large that the network soon says the same of everything.
    recipe.learningRate = 20
    recipe.schedule = LearningRateSchedule()
    let held = MadeBatches(seed: 7)
    let result = try Trainer.interpreted(recipe: recipe).train(on: MadeBatches(), validation: held)
    #expect(result.ending == .stoppedEarly)
    #expect(result.history.count < 30)
    let best = try #require(result.history.compactMap(\.validation?.correct).max())
    #expect(result.validation?.correct == best)
    #expect(try Trainer.score(of: result.network, on: held).correct == best)
    let last = result.history.suffix(2).compactMap(\.validation?.correct)
    #expect(last.allSatisfy { $0 <= best })
  }

  @Test("stops after the steps it is allowed")
  func stepLimit() throws {
    let result = try Trainer.interpreted(
      SmallNetwork.classifier(), .small(),
      {
        var o = TrainerOptions(); o.stepLimit = 8; return o
      }()
    ).train(on: MadeBatches())
    #expect(result.steps == 8)
    #expect(result.history.count == 1)
  }

  @Test("refuses data and networks that do not fit, by name")
  func misfits() throws {
    let network = SmallNetwork.classifier()
    func refusal(
      _ network: Graph = SmallNetwork.classifier(), _ recipe: TrainingRecipe = .small(),
      _ source: MadeBatches = MadeBatches()
    ) -> TrainingError? {
      do {
        _ = try Trainer.interpreted(network, recipe).train(on: source)
        return nil
      } catch { return error as? TrainingError }
    }
    #expect(
      refusal(network, .small(), MadeBatches(sampleShape: [1, 8, 8]))
        == .sampleShapeMismatch(input: "input", network: [3, 8, 8], data: [1, 8, 8]))
    #expect(
      refusal(network, .small(), MadeBatches(classCount: 5))
        == .classCountMismatch(output: "logits", network: [4, 4], data: 5))
    #expect(
      refusal(network, .small(), MadeBatches(batchSize: 2))
        == .batchSizeMismatch(recipe: 4, data: 2))
    #expect(
      refusal(SmallNetwork.classifier(batch: .fixed(1)))
        == .fixedBatch(input: "input", batch: 1, wanted: 4))
    var accumulating = TrainingRecipe.small()
    accumulating.accumulation = 7
    #expect(refusal(network, accumulating) == .tooFewBatches(batches: 6, wanted: 7))
    var patient = TrainingRecipe.small()
    patient.earlyStopPatience = 1
    #expect(refusal(network, patient)?.description.contains("early_stop_patience") ?? false)
    var wild = TrainingRecipe.small(epochs: 20)
    wild.learningRate = 1e30
    guard case .diverged = refusal(network, wild) else {
      Issue.record("a loss that is no number was taken")
      return
    }
  }
}

extension Trainer {
  fileprivate static func interpreted(recipe: TrainingRecipe) throws -> Trainer {
    try interpreted(SmallNetwork.classifier(), recipe)
  }
}
