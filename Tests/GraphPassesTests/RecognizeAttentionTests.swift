// SPDX-License-Identifier: Apache-2.0
import GraphIR
import GraphPasses
import TensorCore
import Testing

@Suite("Recognition of attention") struct RecognizeAttentionTests {
  /// Where exporters put the scale and the mask, and how they close rows.
  enum Spelling: CaseIterable {
    case plain, divided, multipliedLeft, operandsScaled, masked, maskedFirst, chosen, safe, bounded
  }

  /// Two heads of 3 queries, 5 keys of 4.
  static func network(_ spelling: Spelling) -> Graph {
    Graph.made { graph in
      let query = graph.input([1, 2, 3, 4], name: "q")
      let keys = graph.input([1, 5, 2, 4], name: "k")
      let value = graph.input([1, 2, 5, 4], name: "v")
      let mask = graph.input([1, 1, 3, 5], name: "mask")
      var left = query
      var right = graph.node(Transpose(permutation: [0, 2, 3, 1]), keys)
      if spelling == .operandsScaled {
        left = graph.node(Binary(.multiply), left, graph.scalar(0.70710678))
        right = graph.node(Binary(.multiply), right, graph.scalar(0.70710678))
      }
      var scores = graph.node(MatMul(), left, right)
      switch spelling {
      case .divided: scores = graph.node(Binary(.divide), scores, graph.scalar(2))
      case .multipliedLeft: scores = graph.node(Binary(.multiply), graph.scalar(0.5), scores)
      case .chosen:
        let open = (0..<15).map { $0 % 5 <= $0 / 5 ? Int64(1) : 0 }
        let condition = graph.addConstant(
          Tensor(integers: open, shape: [1, 1, 3, 5], elementType: .bool), name: "open")
        scores = graph.node(Where(), condition, scores, graph.scalar(-1e30))
      case .masked, .bounded, .safe: scores = graph.node(Binary(.add), scores, mask)
      case .maskedFirst: scores = graph.node(Binary(.add), mask, scores)
      default: break
      }
      var weights = graph.node(Softmax(axis: -1), scores)
      if spelling == .safe {
        weights = graph.node(
          Where(), graph.node(Unary(.isNaN), weights), graph.scalar(0), weights)
      }
      if spelling == .bounded {
        let greatest = graph.node(Reduce(.maximum), mask, graph.integers([-1]))
        let closed = graph.node(Binary(.equal), greatest, graph.scalar(-.infinity))
        weights = graph.node(Where(), closed, graph.scalar(0), weights)
      }
      return [graph.node(MatMul(), weights, value)]
    }
  }

  @Test("sees every spelling, and computes the same", arguments: Spelling.allCases)
  func recognizes(_ spelling: Spelling) throws {
    let graph = Self.network(spelling)
    let (result, reports) = try PassPipeline(RecognizeAttention(), DropDeadNodes()).run(graph)
    #expect(result.kinds == ["Transpose", "DotProductAttention"])
    #expect(reports[0].patches == 1)
    let closes = spelling == .safe || spelling == .bounded
    var mask = Tensor.random([1, 1, 3, 5], seed: 4).floats()
    for index in 0..<5 where closes { mask[index] = -.infinity }
    let feeds: [String: Tensor] = [
      "q": .random([1, 2, 3, 4], seed: 1), "k": .random([1, 5, 2, 4], seed: 2),
      "v": .random([1, 2, 5, 4], seed: 3), "mask": Tensor(mask, shape: [1, 1, 3, 5]),
    ]
    let want = try Interpreter(graph).run(feeds)[0].reals()
    let got = try Interpreter(result).run(feeds)[0].reals()
    // A few roundings of numbers below 1.
    for (a, b) in zip(got, want) { #expect(abs(a - b) < 1e-5) }
  }

  @Test("leaves scores that something else reads, other axes and types without fixed shapes")
  func leaves() throws {
    var graph = Self.network(.masked)
    let scores = try #require(graph.nodes.first { $0.op is MatMul }?.outputs[0])
    graph.markOutput(scores)
    #expect(try PassPipeline(RecognizeAttention()).run(graph).reports[0].patches == 0)

    let other = Graph.made { graph in
      let scores = graph.node(
        MatMul(), graph.input([1, 2, 3, 3], name: "q"), graph.input([1, 2, 3, 3], name: "k"))
      let weights = graph.node(Softmax(axis: 2), scores)
      return [graph.node(MatMul(), weights, graph.input([1, 2, 3, 3], name: "v"))]
    }
    #expect(try PassPipeline(RecognizeAttention()).run(other).reports[0].patches == 0)
  }
}

@Suite("Recognition of dynamic products") struct RecognizeDynamicProductTests {
  static func network(zero: UInt8? = nil) -> Graph {
    Graph.made { graph in
      let x = graph.input([2, 3, 4])
      let codes = graph.addNode(
        DynamicQuantizeLinear(), name: "q", inputs: [x], outputNames: ["codes", "scale", "zero"])
      let weight = graph.addConstant(
        Tensor((0..<20).map { Int8($0 * 7 % 31 - 15) }, shape: [4, 5]), name: "w")
      let point = zero.map { graph.addConstant(Tensor(scalar: $0), name: "zero") } ?? codes[2]
      let sums = graph.node(
        MatMulInteger(), codes[0], weight, point,
        graph.addConstant(Tensor(scalar: Int8(0)), name: "z"))
      let scales = graph.node(
        Binary(.multiply), codes[1], graph.constant([0.1, 0.2, 0.3, 0.4, 0.5]))
      let real = graph.node(Binary(.multiply), graph.node(Cast(to: .float32), sums), scales)
      return [graph.node(Binary(.add), real, graph.constant([1, 2, 3, 4, 5]))]
    }
  }

  @Test("sees product, cast and scales, and the bias becomes a stage")
  func recognizes() throws {
    let graph = Self.network()
    let passes = PassPipeline(RecognizeDynamicProduct(), DropDeadNodes(), FuseProductBias())
    let result = try passes.run(graph).graph
    #expect(result.kinds == ["DynamicQuantizeLinear", "FusedDynamicMatMul"])
    let feeds = ["x": Tensor.random([2, 3, 4], seed: 5)]
    let want = try Interpreter(graph).run(feeds)[0].reals()
    let got = try Interpreter(result).run(feeds)[0].reals()
    for (a, b) in zip(got, want) { #expect(abs(a - b) < 1e-5) }
  }

  @Test("leaves a zero point that is not that of the codes")
  func leaves() throws {
    let passes = PassPipeline(RecognizeDynamicProduct())
    #expect(try passes.run(Self.network(zero: 7)).reports[0].patches == 0)
  }
}

@Suite("Biases of matrix products") struct FuseProductBiasTests {
  private static func network(bias: [Int], second: Bool = false) -> Graph {
    Graph.made { graph in
      let x = graph.input([2, 3, 4])
      let product = graph.node(MatMul(), x, graph.random([4, 5], seed: 1))
      let count = bias.reduce(1, *)
      let vector = graph.random([count], seed: 2)
      let shaped = graph.addConstant(
        Tensor(graph[vector].constant?.floats() ?? [], shape: bias), name: "bias")
      let sum = graph.node(Binary(.add), shaped, product)
      return second ? [sum, product] : [sum]
    }
  }

  @Test("become the first stage", arguments: [[5], [1, 5], [1, 1, 5]])
  func fuses(_ bias: [Int]) throws {
    let graph = Self.network(bias: bias)
    let result = try PassPipeline(FuseProductBias()).run(graph).graph
    #expect(result.kinds == ["FusedMatMul"])
    let feeds = ["x": Tensor.random([2, 3, 4], seed: 5)]
    let want = try Interpreter(graph).run(feeds)[0].reals()
    let got = try Interpreter(result).run(feeds)[0].reals()
    #expect(got == want)
  }

  @Test("are left where they vary by row, are single, or the product has other users")
  func leaves() throws {
    for graph in [
      Self.network(bias: [3, 5]), Self.network(bias: [3, 1]), Self.network(bias: [1]),
      Self.network(bias: [5], second: true),
    ] { #expect(try PassPipeline(FuseProductBias()).run(graph).reports[0].patches == 0) }
  }
}

@Suite("Expansion of quantized products") struct ExpandQuantizedProductsTests {
  /// Two samples of 3 × 3 with 2 channels, a kernel of 2 × 2, 3 channels of results.
  private static func convolution(scales: [Float]) -> Graph {
    Graph.made { graph in
      let x = graph.input([2, 2, 3, 3], .uint8)
      let weight = (0..<24).map { Int8($0 * 11 % 37 - 18) }
      func code(_ scale: [Float], _ zero: Tensor) -> [ValueID] {
        [
          graph.constant(scale, scale.count == 1 ? [] : nil, "scale"),
          graph.addConstant(zero, name: "zero"),
        ]
      }
      let zeros = [Int8](repeating: 0, count: scales.count)
      let given = code([0.1], Tensor(scalar: UInt8(128)))
      let kernel = code(scales, Tensor(zeros, shape: scales.count == 1 ? [] : [scales.count]))
      let result = code([0.4], Tensor(scalar: UInt8(100)))
      let bias = graph.addConstant(Tensor([Int32(40), -90, 7], shape: [3]), name: "bias")
      let operands =
        [x] + given + [graph.addConstant(Tensor(weight, shape: [3, 2, 2, 2]), name: "w")] + kernel
        + result + [bias]
      return graph.addNode(QLinearConv(), name: "conv", inputs: operands, outputNames: ["y"])
    }
  }

  @Test("writes them between quantizing nodes", arguments: [[0.05], [0.05, 0.02, 0.1]])
  func expands(_ scales: [Float]) throws {
    let graph = Self.convolution(scales: scales)
    let result = try PassPipeline(ExpandQuantizedProducts()).run(graph).graph
    #expect(
      result.kinds == [
        "DequantizeLinear", "DequantizeLinear", "DequantizeLinear", "Conv", "QuantizeLinear",
      ])
    let codes = (0..<36).map { UInt8($0 * 29 % 256) }
    let feeds = ["x": Tensor(codes, shape: [2, 2, 3, 3])]
    let want = try Interpreter(graph).run(feeds)[0].integers()
    let got = try Interpreter(result).run(feeds)[0].integers()
    // Ties may fall to the other side.
    for (a, b) in zip(got, want) { #expect(abs(a - b) <= 1) }
  }
}
