// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import Distillation
import GraphIR
import TensorCore
import Testing
import Training

@Suite("Factor transfer")
struct FactorTransferTests {
  /// The loss with a paraphraser of random weights for maps of three channels.
  static func prepared(channels: Int = 3, rate: Double = 0.67) -> any DistillationLoss {
    let loss = FactorTransfer(rate: rate)
    let width = Int((Double(channels) * rate).rounded())
    var values: [String: Tensor] = [:]
    for index in 0..<2 {
      for (layer, widths) in [(channels, channels), (channels, width), (width, width)].enumerated()
      {
        let name = "paraphraser/\(index)/encoder/\(layer)"
        values["\(name)/weight"] = drawn(
          [widths.1, widths.0, 3, 3], seed: UInt64(10 * index + layer))
        values["\(name)/bias"] = drawn([widths.1], seed: UInt64(100 + layer))
      }
    }
    return loss.prepared(with: values)
  }

  @Test("The worked example: factors (3, 4, 0) and (1, 2, 2)")
  func example() throws {
    var graph = Graph(name: "probe")
    let values = [
      Tensor([3, 4, 0] as [Float], shape: [1, 3]), Tensor([1, 2, 2] as [Float], shape: [1, 3]),
    ]
    let features = ["s", "t"].map { name in
      Feature(
        value: graph.addInput(name: name, type: TensorType(.float32, shape: [1, 3])),
        shape: [1, 3])
    }
    var context = LossContext(
      network: .init(graph: graph), samples: features[0].value, scores: features[0].value,
      targets: features[0].value, batchSize: 1)
    let loss = FactorTransfer().distance(features[0], features[1], name: "ft", in: &context)
    graph = context.network.graph
    graph.setOutputs([loss])
    graph.inferTypes()
    let found = try Interpreter(graph).run(["s": values[0], "t": values[1]])[0].reals()[0]
    #expect(agree(found, 0.355556))
    #expect(agree(FactorTransfer().weight * found / 177.777778, 1))
  }

  @Test("A paraphraser for 64 channels at k = 0.5 has 129,312 parameters")
  func size() throws {
    var graph = Graph(name: "probe")
    let x = graph.addInput(name: "x", type: TensorType(.float32, shape: [1, 64, 2, 2]))
    var context = LossContext(
      network: .init(graph: graph), samples: x, scores: x, targets: x, batchSize: 1)
    let loss = FactorTransfer(rate: 0.5)
    _ = try loss.addPreparationLoss(
      of: [Feature(value: x, shape: [1, 64, 2, 2])], to: &context)
    let counts = context.network.parameters.map(\.initial.count)
    #expect(counts.reduce(0, +) == 129_312)
    #expect(context.network.parameters.allSatisfy { $0.name.hasPrefix(loss.preparedPrefix) })
  }

  @Test("Without a trained paraphraser it says so")
  func unprepared() throws {
    let maps = drawn([1, 3, 2, 2], seed: 1)
    #expect(throws: DistillationError.unprepared(loss: "ft")) {
      try LossProbe(FactorTransfer(), [(maps, maps)])
    }
    let loss = try #require(Self.prepared() as? any PreparedDistillationLoss)
    #expect(loss.isPrepared)
  }

  @Test("Its options come from the command line")
  func options() throws {
    let loss = try DistillationLosses.family.method(
      for: MethodChoice(parsing: "ft:beta=9,k=0.75,epochs=3,lr=0.01"))
    let own = try #require(loss as? FactorTransfer)
    #expect(own.weight == 9)
    #expect(own.rate == 0.75)
    #expect(own.preparation(for: TrainingRecipe()).epochs == 3)
    #expect(own.preparation(for: TrainingRecipe()).learningRate == 0.01)
    #expect(throws: CompressionError.self) {
      try DistillationLosses.family.method(for: MethodChoice(parsing: "ft:k=0"))
    }
  }
}
