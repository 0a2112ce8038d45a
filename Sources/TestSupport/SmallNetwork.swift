// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Networks for tests of what stands on top of the modules.
package enum SmallNetwork {
  /// A convolution with batch norm and ReLU, averages, and a product with four scores.
  ///
  /// Weights are random. Input `input` `[N, 3, 8, 8]`, output `logits` `[N, 4]`.
  package static func classifier(seed: UInt64 = 1, batch: GraphIR.Dimension = .symbol("N")) -> Graph
  {
    var random = RandomSource(seed: seed)
    func tensor(_ shape: [Int], from low: Double = -0.5, to high: Double = 0.5) -> Tensor {
      let values = (0..<shape.reduce(1, *)).map { _ in
        Float(low + (high - low) * random.nextUniform())
      }
      return Tensor(values, shape: shape)
    }
    var graph = Graph(name: "small", metadata: GraphMetadata(opset: 17))
    let input = graph.addInput(
      name: "input", type: TensorType(.float32, [batch, .fixed(3), .fixed(8), .fixed(8)]))
    let weight = graph.addConstant(tensor([6, 3, 3, 3]), name: "conv.weight")
    let convolved = graph.addNode(
      Conv(padding: .explicit([1, 1, 1, 1])), name: "conv", inputs: [input, weight],
      outputNames: ["conv.out"])
    let statistics = [
      ("scale", 0.5, 1.5), ("bias", -0.2, 0.2), ("mean", -0.2, 0.2), ("variance", 0.5, 1.5),
    ].map { name, low, high in
      graph.addConstant(tensor([6], from: low, to: high), name: "norm.\(name)")
    }
    let normalized = graph.addNode(
      BatchNormalization(), name: "norm", inputs: convolved + statistics, outputNames: ["norm.out"])
    let active = graph.addNode(
      Unary(.relu), name: "relu", inputs: normalized, outputNames: ["relu.out"])
    let pooled = graph.addNode(
      GlobalPool(.average), name: "pool", inputs: active, outputNames: ["pool.out"])
    let flat = graph.addNode(
      Flatten(axis: 1), name: "flatten", inputs: pooled, outputNames: ["flatten.out"])
    let classes = graph.addConstant(tensor([4, 6], from: -2, to: 2), name: "fc.weight")
    let offsets = graph.addConstant(tensor([4]), name: "fc.bias")
    let logits = graph.addNode(
      Gemm(transposesB: true), name: "fc", inputs: flat + [classes, offsets],
      outputNames: ["logits"])
    logits.forEach { graph.markOutput($0) }
    graph.inferTypes()
    return graph
  }

  /// One node that gives its input `x` `[N, width]` back as `y`.
  package static func identity(width: Int, batch: GraphIR.Dimension = .symbol("N")) -> Graph {
    var graph = Graph(name: "identity", metadata: GraphMetadata(opset: 17))
    let x = graph.addInput(name: "x", type: TensorType(.float32, [batch, .fixed(width)]))
    let one = graph.addConstant(
      Tensor([Float](repeating: 1, count: width), shape: [width]), name: "one")
    let y = graph.addNode(
      Binary(.divide), name: "divide", inputs: [x, one], outputNames: ["y"])
    y.forEach { graph.markOutput($0) }
    graph.inferTypes()
    return graph
  }
}
