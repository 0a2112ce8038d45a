// SPDX-License-Identifier: Apache-2.0
import GraphIR
import GraphPasses
import TensorCore
import Testing

@Suite("Networks that keep samples apart are known")
struct SampleWiseTests {
  /// An operator with its inputs: samples of a shape, or a constant.
  struct Case: CustomStringConvertible {
    var description: String
    var op: any Op
    var samples: [[Int]]
    var constants: [Tensor] = []
    var outputs = 1
  }

  private static func reals(_ shape: [Int], seed: UInt64 = 3) -> Tensor {
    var random = RandomSource(seed: seed)
    return Tensor(
      (0..<shape.reduce(1, *)).map { _ in Float(random.nextUniform() + 0.5) }, shape: shape)
  }

  private static func integers(_ values: Int64...) -> Tensor {
    Tensor(values, shape: [values.count])
  }

  private static func graph(_ single: Case) -> Graph {
    var graph = Graph()
    var values: [ValueID?] = single.samples.enumerated().map { index, shape in
      graph.addInput(
        name: "x\(index)",
        type: TensorType(.float32, [.symbol("N")] + shape.map { .fixed($0) }))
    }
    for tensor in single.constants { values.append(graph.addConstant(tensor, name: "c")) }
    let outputs = graph.addNode(
      single.op, inputs: values, outputNames: (0..<single.outputs).map { "y\($0)" })
    for output in outputs { graph.markOutput(output) }
    graph.inferTypes()
    return graph
  }

  static let apart: [Case] = [
    Case(
      description: "convolution", op: Conv(), samples: [[2, 5, 5]],
      constants: [reals([3, 2, 3, 3])]),
    Case(
      description: "transposed convolution", op: ConvTranspose(), samples: [[2, 5, 5]],
      constants: [reals([2, 3, 3, 3])]),
    Case(
      description: "greatest of windows", op: MaxPool(window: PoolingWindow(kernel: [2, 2])),
      samples: [[2, 5, 5]]),
    Case(description: "mean of maps", op: GlobalPool(.average), samples: [[2, 5, 5]]),
    Case(
      description: "product with weights", op: Gemm(transposesB: true), samples: [[4]],
      constants: [reals([3, 4]), reals([3])]),
    Case(
      description: "matrix times weights", op: MatMul(), samples: [[2, 4]],
      constants: [reals([4, 3])]),
    Case(description: "matrix times matrix", op: MatMul(), samples: [[2, 4], [4, 3]]),
    Case(description: "sum of two", op: Binary(.add), samples: [[2, 3], [2, 1]]),
    Case(
      description: "sum with a bias", op: Binary(.add), samples: [[2, 3]], constants: [reals([3])]),
    Case(description: "softmax within", op: Softmax(axis: -1), samples: [[4]]),
    Case(
      description: "layer norm within", op: LayerNormalization(), samples: [[4]],
      constants: [reals([4])]),
    Case(
      description: "mean within", op: Reduce(.mean), samples: [[4, 2]], constants: [integers(1, -1)]
    ),
    Case(description: "rows", op: Reshape(), samples: [[4, 2]], constants: [integers(-1, 8)]),
    Case(description: "same rows", op: Reshape(), samples: [[4, 2]], constants: [integers(0, 8)]),
    Case(description: "flattened", op: Flatten(), samples: [[4, 2]]),
    Case(description: "channels last", op: Transpose(permutation: [0, 2, 1]), samples: [[4, 2]]),
    Case(description: "joined channels", op: Concat(axis: 1), samples: [[4, 2], [3, 2]]),
    Case(
      description: "some channels", op: Slice(), samples: [[4]],
      constants: [integers(1), integers(3), integers(1)]),
    Case(description: "padded", op: Pad(), samples: [[4]], constants: [integers(0, 1, 0, 2)]),
  ]

  static let joined: [Case] = [
    Case(description: "softmax across", op: Softmax(axis: 0), samples: [[4]]),
    Case(description: "softmax across, counted back", op: Softmax(axis: -2), samples: [[4]]),
    Case(description: "mean across", op: Reduce(.mean), samples: [[4]], constants: [integers(0)]),
    Case(description: "mean of all", op: Reduce(.mean), samples: [[4]]),
    Case(description: "samples last", op: Transpose(permutation: [1, 0]), samples: [[4]]),
    Case(
      description: "all in one row", op: Reshape(), samples: [[4]], constants: [integers(1, -1)]),
    Case(
      description: "rows of a stated batch", op: Reshape(), samples: [[4]],
      constants: [integers(13, -1)]),
    Case(description: "joined samples", op: Concat(axis: 0), samples: [[4], [4]]),
    Case(
      description: "some samples", op: Slice(), samples: [[4]],
      constants: [integers(0), integers(3), integers(0)]),
    Case(
      description: "padded with samples", op: Pad(), samples: [[4]],
      constants: [integers(1, 0, 0, 0)]),
    Case(
      description: "samples as columns", op: Gemm(transposesA: true), samples: [[4]],
      constants: [reals([13, 3])]),
    Case(description: "samples summed over", op: MatMul(), samples: [[13], [4]]),
    Case(
      description: "indices through the batch", op: MaxPool(window: PoolingWindow(kernel: [2, 2])),
      samples: [[2, 4, 4]], outputs: 2),
    Case(description: "the batch size", op: Shape(), samples: [[4]]),
  ]

  @Test(
    "These do, and what they give for a batch is what they give for its samples", arguments: apart)
  func areApart(single: Case) throws {
    let graph = Self.graph(single)
    #expect(graph.keepsSamplesApart)
    let batch = 3
    let inputs = single.samples.enumerated().map { index, shape in
      Self.reals([batch] + shape, seed: UInt64(index + 1))
    }
    func run(_ tensors: [Tensor]) throws -> [Float] {
      let named = tensors.enumerated().map { ("x\($0)", $1) }
      return try Interpreter(graph).run(Dictionary(uniqueKeysWithValues: named))[0].floats()
    }
    let parts = try (0..<batch).flatMap { sample in
      try run(
        inputs.map { tensor in
          let size = tensor.count / batch
          return Tensor(
            Array(tensor.floats()[sample * size..<(sample + 1) * size]),
            shape: [1] + tensor.shape.dropFirst())
        })
    }
    #expect(try run(inputs) == parts)
  }

  @Test("These don't, or not as far as one can see", arguments: joined)
  func areJoined(single: Case) { #expect(!Self.graph(single).keepsSamplesApart) }

  @Test("An input without samples is as good as none")
  func fixedInput() {
    var graph = Graph()
    let x = graph.addInput(name: "x", type: TensorType(.float32, [.symbol("N"), .fixed(4)]))
    let y = graph.addInput(name: "y", type: TensorType(.float32, shape: [1, 4]))
    graph.markOutput(graph.addNode(Binary(.add), inputs: [x, y], outputNames: ["z"])[0])
    graph.inferTypes()
    #expect(!graph.keepsSamplesApart)
  }
}
