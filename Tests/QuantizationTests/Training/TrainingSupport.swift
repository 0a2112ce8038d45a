// SPDX-License-Identifier: Apache-2.0
import Autodiff
import CompressionCore
import DataIO
import GraphIR
import Quantization
import TensorCore
import TestSupport
import Training

/// Batches of small random images whose classes can be learnt: each class has a wave of its own.
struct WaveBatches: BatchSource {
  var batchesPerEpoch = 8
  var batchSize = 16
  var classCount = 4
  var sampleShape = [3, 8, 8]
  var seed: UInt64 = 1

  func batches(epoch: Int, startingAt: Int) -> BatchStream {
    BatchStream(startingAt..<batchesPerEpoch, prefetchCount: 0) { batch(epoch: epoch, $0) }
  }

  func batch(epoch: Int, _ number: Int) -> TrainingBatch {
    var random = RandomSource(seed: seed &+ UInt64(epoch * 1000 + number))
    let width = sampleShape.reduce(1, *)
    var values: [Float] = []
    var labels: [Int] = []
    var targets = [Float](repeating: 0, count: batchSize * classCount)
    for sample in 0..<batchSize {
      let label = random.nextIndex(below: classCount)
      labels.append(label)
      targets[sample * classCount + label] = 1
      for index in 0..<width {
        let wave = Float((index / (label + 1)) % 2) - 0.5
        values.append(wave + Float(random.nextUniform() - 0.5))
      }
    }
    return TrainingBatch(
      images: Tensor(values, shape: [batchSize] + sampleShape),
      targets: Tensor(targets, shape: [batchSize, classCount]), labels: labels)
  }

  var calibration: InMemoryCalibration {
    InMemoryCalibration([["input": batch(epoch: 0, 0).images]])
  }
}

/// A classifier with batch norms, a residual addition and three layers besides first and last.
func residualClassifier(seed: UInt64 = 3) -> Graph {
  var builder = NetworkBuilder(seed: seed)
  func norm(_ value: ValueID, _ channels: Int, sign: Float = 1) -> ValueID {
    let ones = [Float](repeating: 1, count: channels)
    var scale = ones
    scale[0] = sign
    return builder.add(
      BatchNormalization(), [value],
      constants: [
        Tensor(scale, shape: [channels]), Tensor(ones.map { $0 * 0.1 }, shape: [channels]),
        Tensor(ones.map { $0 * 0.05 }, shape: [channels]), Tensor(ones, shape: [channels]),
      ])
  }
  func block(_ value: ValueID, _ input: Int, _ output: Int, sign: Float = 1) -> ValueID {
    norm(builder.conv(value, input, output, bias: false), output, sign: sign)
  }
  let stem = builder.add(Unary(.relu), [block(builder.input, 3, 8)])
  let inner = builder.add(Unary(.relu), [block(stem, 8, 8, sign: -1)])
  let sum = builder.add(Binary(.add), [block(inner, 8, 8), stem])
  let wide = builder.add(Unary(.relu), [block(builder.add(Unary(.relu), [sum]), 8, 16)])
  let pooled = builder.add(Flatten(axis: 1), [builder.add(GlobalPool(.average), [wide])])
  let scores = builder.add(
    Gemm(transposesB: true), [pooled],
    constants: [builder.tensor([4, 16]), builder.tensor([4])])
  return builder.finished(scores)
}

extension TrainingRecipe {
  static func waves(epochs: Int) -> TrainingRecipe {
    var recipe = TrainingRecipe()
    recipe.epochs = epochs
    recipe.batchSize = 16
    recipe.learningRate = 0.02
    return recipe
  }
}

/// The rounding that a quantizer does under training, run on the reference operators.
struct RoundingProbe {
  let graph: Graph
  let parameters: [String: Tensor]

  init(_ quantizer: any TrainedQuantizer, _ operand: QuantizedOperand, shape: [Int]) throws {
    var graph = Graph(name: "probe")
    let x = graph.addInput(name: operand.name, type: TensorType(.float32, shape: shape))
    var context = LossContext(
      network: TrainableGraph(graph: graph), samples: x, scores: x, targets: x, batchSize: 1)
    let y = quantizer.addRounding(of: x, operand, to: &context)
    graph = context.network.graph
    graph.setOutputs([y] + context.network.statistics.map(\.output))
    graph.inferTypes()
    self.graph = graph
    var values: [String: Tensor] = [:]
    for parameter in context.network.parameters { values[parameter.name] = parameter.initial }
    for statistic in context.network.statistics { values[statistic.name] = statistic.initial }
    parameters = values
  }

  func rounded(_ values: [Float]) throws -> [Float] {
    var inputs = parameters
    let name = graph[graph.inputs[0]].name
    inputs[name] = Tensor(values, shape: graph[graph.inputs[0]].type?.shape ?? [])
    return try Interpreter(graph).run(inputs)[0].floats()
  }
}

extension ActivationRounding {
  var grid: TrainedActivationGrid? {
    if case .grid(let grid) = self { grid } else { nil }
  }

  var codeCount: Int {
    switch self {
    case .grid(let grid): grid.codes.count
    case .table(let table): table.levels.count
    }
  }

  /// What the codes of values stand for.
  func rounded(_ values: [Float]) -> [Float] {
    switch self {
    case .grid(let grid):
      values.map { value in
        let u = ((value - grid.shift) / grid.step).rounded(.toNearestOrEven)
        let code = min(max(u, Float(grid.codes.lowerBound)), Float(grid.codes.upperBound))
        return grid.scale * code + grid.offset
      }
    case .table(let table): table.rounded(values)
    }
  }
}
