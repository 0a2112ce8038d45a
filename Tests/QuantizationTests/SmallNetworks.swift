// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import GraphIR
import Quantization
import TensorCore

/// Builds small networks with random weights.
struct NetworkBuilder {
  var graph: Graph
  private var random: RandomSource
  private var number = 0

  init(channels: Int = 3, size: Int = 8, seed: UInt64 = 1) {
    graph = Graph(name: "small", metadata: GraphMetadata(opset: 13))
    random = RandomSource(seed: seed)
    _ = graph.addInput(
      name: "input",
      type: TensorType(.float32, [.symbol("N"), .fixed(channels), .fixed(size), .fixed(size)]))
  }

  var input: ValueID { graph.inputs[0] }

  mutating func tensor(_ shape: [Int], spread: Bool = false) -> Tensor {
    let perRow = shape.dropFirst().reduce(1, *)
    let values = (0..<shape.reduce(1, *)).map { index -> Float in
      let factor: Float = spread ? Float(1 + index / perRow * index / perRow) : 1
      return Float(random.nextUniform() * 2 - 1) * 0.5 * factor
    }
    return Tensor(values, shape: shape)
  }

  mutating func add(
    _ op: any Op, _ inputs: [ValueID], constants: [Tensor] = []
  ) -> ValueID {
    number += 1
    let name = "\(op.kind)_\(number)"
    let extra = constants.enumerated().map {
      graph.addConstant($1, name: "\(name)_constant\($0)")
    }
    return graph.addNode(op, name: name, inputs: inputs + extra, outputNames: ["v\(number)"])[0]
  }

  mutating func conv(
    _ value: ValueID, _ input: Int, _ output: Int, kernel: Int = 3, group: Int = 1,
    spread: Bool = false, bias: Bool = true
  ) -> ValueID {
    let pads = Padding.explicit(Array(repeating: kernel / 2, count: 4))
    let weight = tensor([output, input / group, kernel, kernel], spread: spread)
    return add(
      Conv(padding: pads, group: group), [value],
      constants: bias ? [weight, tensor([output])] : [weight])
  }

  mutating func finished(_ outputs: ValueID...) -> Graph {
    graph.setOutputs(outputs)
    graph.inferTypes()
    return graph
  }

  /// Batches of random inputs for the network.
  func samples(_ count: Int = 3, batch: Int = 2, channels: Int = 3, size: Int = 8)
    -> InMemoryCalibration
  {
    var random = RandomSource(seed: 99)
    return InMemoryCalibration(
      (0..<count).map { _ in
        let values = (0..<(batch * channels * size * size)).map { _ in
          Float(random.nextUniform() * 2 - 1)
        }
        return ["input": Tensor(values, shape: [batch, channels, size, size])]
      })
  }
}

extension Graph {
  /// Names of the values that have a pair of quantizing nodes behind them.
  var quantizedNames: [String] {
    nodes.filter { $0.op is QuantizeLinear }.map { self[$0.inputs[0] ?? inputs[0]].name }.sorted()
  }

  /// The scale behind a quantized value.
  func scale(of name: String) -> Float? {
    nodes.first { $0.op is QuantizeLinear && $0.inputs[0].map { self[$0].name } == name }
      .flatMap { constant($0.inputs[1])?.floats().first }
  }

  func node(named name: String) -> Node? { nodes.first { $0.name == name } }
}

let interpret: ExecutorFactory = { Interpreter($0) }
