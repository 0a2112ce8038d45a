// SPDX-License-Identifier: Apache-2.0
import GraphIR
import GraphPasses
import TensorCore
import Testing

@Suite("Batch-norm folding") struct FoldBatchNormalizationTests {
  @Test("gives the weights and bias worked by hand")
  func workedExample() throws {
    // w = (2, −1), b = 0.5, γ = 1.5, β = 0.2, μ = 0.4, σ² = 4, ε = 1e-5, x = (1, 3).
    let graph = Graph.made { graph in
      let x = graph.input([1, 2, 1, 1])
      let conv = graph.node(
        Conv(), x, graph.constant([2, -1], [1, 2, 1, 1], "weight"),
        graph.constant([0.5], nil, "bias"))
      return [
        graph.node(
          BatchNormalization(), conv, graph.constant([1.5]), graph.constant([0.2]),
          graph.constant([0.4]), graph.constant([4]), name: "y")
      ]
    }
    let x = Tensor([Float(1), 3], shape: [1, 2, 1, 1])
    let result = try rewritten(graph, by: FoldBatchNormalization(), inputs: ["x": x])
    #expect(result.kinds == ["Conv"])
    let weight = try #require(result.constant(result.value(named: "weight"))).floats()
    let bias = try #require(result.constant(result.value(named: "bias"))).floats()
    #expect(abs(weight[0] - 1.499998) < 1e-6)
    #expect(abs(weight[1] + 0.749999) < 1e-6)
    #expect(abs(bias[0] - 0.275) < 1e-6)
    #expect(abs(try Interpreter(result).run(["x": x])[0].floats()[0] + 0.474999) < 1e-6)
  }

  struct Shape: Sendable {
    var group = 1
    var strides = [1, 1]
    var padding = Padding.explicit([1, 1, 1, 1])
    var hasBias = false
  }

  @Test(
    "keeps the results of convolutions with groups, strides, padding and bias",
    arguments: [
      Shape(), Shape(hasBias: true), Shape(group: 2), Shape(group: 4, hasBias: true),
      Shape(strides: [2, 2], padding: .sameUpper), Shape(strides: [2, 1], padding: .valid),
    ])
  func convolutions(_ shape: Shape) throws {
    let graph = Graph.made { graph in
      let x = graph.input([2, 4, 7, 6])
      let weight = graph.random([8, 4 / shape.group, 3, 3], seed: 1)
      let bias = shape.hasBias ? graph.random([8], seed: 2, "b") : nil
      let op = Conv(strides: shape.strides, padding: shape.padding, group: shape.group)
      let conv =
        bias.map { graph.node(op, x, weight, $0) } ?? graph.node(op, x, weight)
      return [graph.normalization(conv, channels: 8, seed: 3)]
    }
    #expect(try rewritten(graph, by: FoldBatchNormalization()).kinds == ["Conv"])
  }

  @Test("keeps the results of transposed convolutions", arguments: [1, 2])
  func transposedConvolutions(group: Int) throws {
    let graph = Graph.made { graph in
      let x = graph.input([2, 4, 5, 5])
      let conv = graph.node(
        ConvTranspose(strides: [2, 2], group: group), x, graph.random([4, 3, 2, 2], seed: 1))
      return [graph.normalization(conv, channels: 3 * group, seed: 3)]
    }
    #expect(try rewritten(graph, by: FoldBatchNormalization()).kinds == ["ConvTranspose"])
  }

  @Test("keeps the results of Gemm with factors and either orientation", arguments: [false, true])
  func gemm(transposesB: Bool) throws {
    let graph = Graph.made { graph in
      let x = graph.input([3, 4])
      let product = graph.node(
        Gemm(alpha: 0.5, beta: 2, transposesB: transposesB), x,
        graph.random(transposesB ? [5, 4] : [4, 5], seed: 1), graph.random([1, 5], seed: 2))
      return [graph.normalization(product, channels: 5, seed: 3)]
    }
    #expect(try rewritten(graph, by: FoldBatchNormalization()).kinds == ["Gemm"])
  }

  @Test("makes a Gemm of a MatMul of matrices")
  func matMul() throws {
    let graph = Graph.made { graph in
      let product = graph.node(MatMul(), graph.input([3, 4]), graph.random([4, 5], seed: 1))
      return [graph.normalization(product, channels: 5, seed: 3)]
    }
    #expect(try rewritten(graph, by: FoldBatchNormalization()).kinds == ["Gemm"])
  }

  @Test("does not change a weight that another node uses")
  func sharedWeight() throws {
    let graph = Graph.made { graph in
      let x = graph.input([1, 2, 4, 4])
      let weight = graph.random([2, 2, 1, 1], seed: 1)
      let conv = graph.node(Conv(), x, weight, name: "a")
      return [
        graph.normalization(conv, channels: 2, seed: 3), graph.node(Conv(), x, weight, name: "b"),
      ]
    }
    #expect(try rewritten(graph, by: FoldBatchNormalization()).kinds == ["Conv", "Conv"])
  }

  /// Graphs whose batch normalization must stay.
  static let unfoldable: [@Sendable (inout Graph) -> [ValueID]] = [
    { graph in  // The convolution's result is used elsewhere too.
      let conv = graph.node(
        Conv(), graph.input([1, 2, 4, 4]), graph.random([2, 2, 1, 1], seed: 1))
      return [graph.normalization(conv, channels: 2, seed: 3), graph.node(Unary(.relu), conv)]
    },
    { graph in  // The convolution's result is an output.
      let conv = graph.node(
        Conv(), graph.input([1, 2, 4, 4]), graph.random([2, 2, 1, 1], seed: 1))
      return [graph.normalization(conv, channels: 2, seed: 3), conv]
    },
    { graph in  // Statistics of the batch.
      let conv = graph.node(
        Conv(), graph.input([1, 2, 4, 4]), graph.random([2, 2, 1, 1], seed: 1))
      return [
        graph.node(
          BatchNormalization(trainingMode: true), conv, graph.positive(2, seed: 1),
          graph.positive(2, seed: 2), graph.positive(2, seed: 3), graph.positive(2, seed: 4))
      ]
    },
    { graph in  // The weight is quantized.
      let conv = graph.node(
        Conv(), graph.input([1, 2, 4, 4]), graph.weight([2, 2, 1, 1], seed: 1))
      return [graph.normalization(conv, channels: 2, seed: 3)]
    },
    { graph in  // The channels of a batched product lie along its last axis.
      let product = graph.node(MatMul(), graph.input([2, 5, 4]), graph.random([4, 5], seed: 1))
      return [graph.normalization(product, channels: 5, seed: 3)]
    },
    { graph in  // An activation stands between.
      let conv = graph.node(
        Conv(), graph.input([1, 2, 4, 4]), graph.random([2, 2, 1, 1], seed: 1))
      return [graph.normalization(graph.node(Unary(.relu), conv), channels: 2, seed: 3)]
    },
  ]

  @Test("leaves a batch norm that cannot be folded", arguments: unfoldable.indices)
  func leaves(_ position: Int) throws {
    let graph = Graph.made(Self.unfoldable[position])
    let result = try PassPipeline(FoldBatchNormalization()).run(graph).graph
    #expect(result.kinds == graph.kinds)
  }
}

@Suite("Forward batch-norm folding") struct FoldBatchNormalizationForwardTests {
  @Test("folds into a convolution without padding", arguments: [1, 2])
  func convolution(group: Int) throws {
    let graph = Graph.made { graph in
      let x = graph.normalization(graph.input([2, 4, 5, 5]), channels: 4, seed: 3)
      return [graph.node(Conv(group: group), x, graph.random([6, 4 / group, 3, 3], seed: 1))]
    }
    #expect(try rewritten(graph, by: FoldBatchNormalizationForward()).kinds == ["Conv"])
  }

  @Test("leaves a convolution whose padding would see the shift")
  func padding() throws {
    let graph = Graph.made { graph in
      let x = graph.normalization(graph.input([2, 4, 5, 5]), channels: 4, seed: 3)
      return [
        graph.node(Conv(padding: .explicit([1, 1, 1, 1])), x, graph.random([6, 4, 3, 3], seed: 1))
      ]
    }
    let result = try rewritten(graph, by: FoldBatchNormalizationForward())
    #expect(result.kinds == ["BatchNormalization", "Conv"])
  }

  @Test("folds into a matrix product, through a change of shape", arguments: [false, true])
  func gemm(flattens: Bool) throws {
    let graph = Graph.made { graph in
      var x = graph.input(flattens ? [2, 4, 3, 2] : [2, 4])
      x = graph.normalization(x, channels: 4, seed: 3)
      if flattens { x = graph.node(Flatten(), x) }
      let weight = graph.random([5, flattens ? 24 : 4], seed: 1)
      return [graph.node(Gemm(transposesB: true), x, weight, graph.random([5], seed: 2, "b"))]
    }
    let result = try rewritten(graph, by: FoldBatchNormalizationForward())
    #expect(result.kinds == (flattens ? ["Flatten", "Gemm"] : ["Gemm"]))
  }
}

@Suite("Folding of biases and scales") struct FuseBiasTests {
  @Test(
    "folds sums, differences, products and quotients with a constant per channel",
    arguments: [Binary.Function.add, .subtract, .multiply, .divide], [false, true])
  func functions(_ function: Binary.Function, constantFirst: Bool) throws {
    let graph = Graph.made { graph in
      let conv = graph.node(
        Conv(), graph.input([2, 3, 4, 4]), graph.random([5, 3, 1, 1], seed: 1),
        graph.random([5], seed: 2, "b"))
      let values = Tensor.random([5], seed: 4).floats().map { 1 + $0 / 2 }
      let constant = graph.constant(values, [5, 1, 1])
      return [
        constantFirst
          ? graph.node(Binary(function), constant, conv)
          : graph.node(Binary(function), conv, constant)
      ]
    }
    let result = try rewritten(graph, by: FuseBias(), FoldScale())
    #expect(result.kinds == (function == .divide && constantFirst ? ["Conv", "Div"] : ["Conv"]))
  }

  @Test("makes a Gemm of a MatMul of matrices and an Add")
  func matMul() throws {
    let graph = Graph.made { graph in
      let product = graph.node(MatMul(), graph.input([3, 4]), graph.random([4, 5], seed: 1))
      return [graph.node(Binary(.add), graph.random([5], seed: 2), product)]
    }
    #expect(try rewritten(graph, by: FuseBias()).kinds == ["Gemm"])
  }

  /// Constants that are not one number per channel of a result of 2 × 5 × 4 × 4.
  @Test(
    "leaves constants of other shapes",
    arguments: [[4], [2, 1, 1, 1], [1, 5, 4, 1], [1, 1, 5, 1, 1]])
  func shapes(_ shape: [Int]) throws {
    let graph = Graph.made { graph in
      let conv = graph.node(
        Conv(), graph.input([2, 3, 4, 4]), graph.random([5, 3, 1, 1], seed: 1))
      return [graph.node(Binary(.add), conv, graph.random(shape, seed: 3, "c"))]
    }
    #expect(try rewritten(graph, by: FuseBias()).kinds == ["Conv", "Add"])
  }
  @Test(
    "behind dequantized weights only if asked to, and only where there is no bias yet",
    arguments: [false, true], [false, true])
  func computedWeights(isAsked: Bool, hasBias: Bool) throws {
    let graph = Graph.made { graph in
      let x = graph.input([2, 3, 4, 4])
      let weight = graph.weight([5, 3, 1, 1], seed: 1)
      let bias: ValueID? = hasBias ? graph.random([5], seed: 2, "b") : nil
      let conv = graph.node(Conv(), x, weight, bias)
      return [graph.node(Binary(.add), conv, graph.random([1, 5, 1, 1], seed: 3, "c"))]
    }
    let result = try rewritten(graph, by: FuseBias(takesComputedWeights: isAsked))
    let stays = !isAsked || hasBias
    #expect(result.kinds == ["DequantizeLinear", "Conv"] + (stays ? ["Add"] : []))
  }
}
