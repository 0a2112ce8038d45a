// SPDX-License-Identifier: Apache-2.0
import DataIO
import GraphIR
import TensorCore
import TestSupport
import Training

/// Batches of small random images whose classes can be learnt: each class has a mean of its own.
struct MadeBatches: BatchSource {
  var batchesPerEpoch = 6
  var batchSize = 4
  var classCount = 4
  var sampleShape = [3, 8, 8]
  var seed: UInt64 = 1
  /// Samples in the last batch, where it is not full.
  var lastBatch: Int?
  /// The batch that cannot be read.
  var brokenBatch: Int?

  func batch(epoch: Int, _ number: Int) throws -> TrainingBatch {
    if number == brokenBatch { throw DataError.missing(path: "image \(number)") }
    var random = RandomSource(seed: seed &+ UInt64(epoch * 1000 + number))
    let count = number == batchesPerEpoch - 1 ? lastBatch ?? batchSize : batchSize
    let width = sampleShape.reduce(1, *)
    var values: [Float] = []
    var labels: [Int] = []
    var targets = [Float](repeating: 0, count: count * classCount)
    for sample in 0..<count {
      let label = random.nextIndex(below: classCount)
      labels.append(label)
      targets[sample * classCount + label] = 1
      for index in 0..<width {
        let wave = Float((index / (label + 1)) % 2) - 0.5
        values.append(wave + Float(random.nextUniform() - 0.5))
      }
    }
    return TrainingBatch(
      images: Tensor(values, shape: [count] + sampleShape),
      targets: Tensor(targets, shape: [count, classCount]), labels: labels)
  }

  func batches(epoch: Int, startingAt: Int) -> BatchStream {
    BatchStream(startingAt..<batchesPerEpoch, prefetchCount: 0) { try batch(epoch: epoch, $0) }
  }
}

extension TrainingRecipe {
  /// A recipe for `MadeBatches`.
  static func small(epochs: Int = 2) -> TrainingRecipe {
    var recipe = TrainingRecipe()
    recipe.epochs = epochs
    recipe.batchSize = 4
    recipe.learningRate = 0.05
    return recipe
  }
}

extension Trainer {
  /// A trainer on the reference meaning of all operators.
  static func interpreted(
    _ network: Graph = SmallNetwork.classifier(), _ recipe: TrainingRecipe = .small(),
    _ options: TrainerOptions = TrainerOptions()
  ) throws -> Trainer {
    var trainer = try Trainer(network, recipe: recipe, options: options)
    trainer.backend = .interpreted
    return trainer
  }
}

/// A network of one product: scores = x Wᵀ + b, for samples of two numbers and two classes.
func productNetwork() -> Graph {
  var graph = Graph(name: "product", metadata: GraphMetadata(opset: 17))
  let x = graph.addInput(name: "x", type: TensorType(.float32, [.symbol("N"), .fixed(2)]))
  let w = graph.addConstant(Tensor([0.5, -0.25, 0.75, 1] as [Float], shape: [2, 2]), name: "w")
  let b = graph.addConstant(Tensor([0.1, -0.1] as [Float], shape: [2]), name: "b")
  let y = graph.addNode(
    Gemm(transposesB: true), name: "fc", inputs: [x, w, b], outputNames: ["y"])
  y.forEach { graph.markOutput($0) }
  graph.inferTypes()
  return graph
}

/// The same batch again and again.
struct FixedBatches: BatchSource {
  var rows: [[Float]]
  var targetRows: [[Float]]
  var batchesPerEpoch = 1
  var batchSize: Int { rows.count / batchesPerEpoch }
  var classCount: Int { targetRows[0].count }
  var sampleShape: [Int] { [rows[0].count] }

  func batches(epoch: Int, startingAt: Int) -> BatchStream {
    BatchStream(startingAt..<batchesPerEpoch, prefetchCount: 0) { number in
      let range = number * batchSize..<(number + 1) * batchSize
      return TrainingBatch(
        images: Tensor(rows[range].flatMap { $0 }, shape: [batchSize] + sampleShape),
        targets: Tensor(targetRows[range].flatMap { $0 }, shape: [batchSize, classCount]),
        labels: targetRows[range].map { row in row[0] > row[1] ? 0 : 1 })
    }
  }
}
