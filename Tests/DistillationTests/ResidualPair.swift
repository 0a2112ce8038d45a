// SPDX-License-Identifier: Apache-2.0
import DataIO
import GraphIR
import TensorCore
import Training

/// Networks of one shape and two widths: a stem, and two residual blocks of which the second halves
/// the size.
enum ResidualPair {
  /// - Parameter width: Channels of the first block.
  static func network(
    width: Int, batch: GraphIR.Dimension = .symbol("N"), classes: Int = 3, seed: UInt64 = 1,
    isPreactivated: Bool = false
  ) -> Graph {
    var builder = Builder(seed: seed)
    let x = builder.graph.addInput(
      name: "input", type: TensorType(.float32, [batch, .fixed(3), .fixed(8), .fixed(8)]))
    var y = x
    if isPreactivated { y = builder.normalized(y, 3, "pre.norm") }
    y = builder.convolved(y, 3, width, "stem")
    y = builder.active(builder.normalized(y, width, "stem.norm"), "stem.relu")
    y = builder.block(y, width, width, stride: 1, "block0")
    y = builder.block(y, width, 2 * width, stride: 2, "block1")
    y = builder.node(GlobalPool(.average), [y], "pool")
    y = builder.node(Flatten(axis: 1), [y], "flat")
    let weight = builder.constant([classes, 2 * width], scale: 1, "fc.weight")
    let bias = builder.constant([classes], scale: 0.1, "fc.bias")
    y = builder.node(Gemm(transposesB: true), [y, weight, bias], "scores")
    builder.graph.setOutputs([y])
    builder.graph.inferTypes()
    return builder.graph
  }

  private struct Builder {
    var graph = Graph(name: "pair", metadata: GraphMetadata(opset: 17))
    var seed: UInt64

    mutating func constant(_ shape: [Int], scale: Double, _ name: String) -> ValueID {
      seed += 1
      return graph.addConstant(drawn(shape, seed: seed, from: -scale, to: scale), name: name)
    }

    mutating func node(_ op: any Op, _ inputs: [ValueID?], _ name: String) -> ValueID {
      graph.addNode(op, name: name, inputs: inputs, outputNames: [name])[0]
    }

    mutating func convolved(
      _ x: ValueID, _ from: Int, _ to: Int, stride: Int = 1, side: Int = 3, _ name: String
    ) -> ValueID {
      let weight = constant(
        [to, from, side, side], scale: (3 / Double(from * side * side)).squareRoot(),
        "\(name).weight")
      let pad = side / 2
      return node(
        Conv(strides: [stride, stride], padding: .explicit([pad, pad, pad, pad])), [x, weight],
        "\(name).conv")
    }

    mutating func normalized(_ x: ValueID, _ channels: Int, _ name: String) -> ValueID {
      let numbers = [
        ("scale", 0.8, 1.2), ("bias", -0.1, 0.1), ("mean", -0.1, 0.1), ("var", 0.5, 1),
      ]
      .map { part, low, high in
        graph.addConstant(
          drawn([channels], seed: seed + 77, from: low, to: high), name: "\(name).\(part)")
      }
      return node(BatchNormalization(), [x] + numbers, name)
    }

    mutating func active(_ x: ValueID, _ name: String) -> ValueID {
      node(Unary(.relu), [x], name)
    }

    mutating func block(
      _ x: ValueID, _ from: Int, _ to: Int, stride: Int, _ name: String
    ) -> ValueID {
      var y = convolved(x, from, to, "\(name).a")
      y = active(normalized(y, to, "\(name).a.norm"), "\(name).first")
      y = normalized(convolved(y, to, to, stride: stride, "\(name).b"), to, "\(name).b.norm")
      var shortcut = x
      if stride > 1 {
        shortcut = convolved(x, from, to, stride: stride, side: 1, "\(name).short")
      }
      return active(node(Binary(.add), [y, shortcut], "\(name).sum"), "\(name).out")
    }
  }
}

/// Small random images whose classes can be learnt.
struct Waves: BatchSource {
  var batchesPerEpoch = 4
  var batchSize = 16
  var classCount = 3
  var sampleShape = [3, 8, 8]

  func batches(epoch: Int, startingAt: Int) -> BatchStream {
    BatchStream(startingAt..<batchesPerEpoch, prefetchCount: 0) { number in
      var random = RandomSource(seed: UInt64(epoch * 100 + number))
      let width = sampleShape.reduce(1, *)
      var (values, labels): ([Float], [Int]) = ([], [])
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
  }
}

extension TrainingRecipe {
  /// A recipe for `Waves`.
  static func waves(epochs: Int = 2) -> TrainingRecipe {
    var recipe = TrainingRecipe()
    recipe.epochs = epochs
    recipe.batchSize = 16
    recipe.learningRate = 0.02
    return recipe
  }
}
