// SPDX-License-Identifier: Apache-2.0
import GraphIR
import GraphPasses
import TensorCore
import Testing

extension Graph {
  /// The one fused step of a graph.
  fileprivate func onlyStep(sourceLocation: SourceLocation = #_sourceLocation) throws -> Fused {
    let steps = nodes.compactMap { $0.op as? Fused }
    #expect(steps.count == 1, sourceLocation: sourceLocation)
    return try #require(steps.first, sourceLocation: sourceLocation)
  }

  fileprivate mutating func convolution(_ x: ValueID, seed: UInt64 = 1) -> ValueID {
    node(
      Conv(padding: .explicit([1, 1, 1, 1])), x, random([4, 4, 3, 3], seed: seed), name: "conv")
  }

  fileprivate mutating func quantizedConvolution(
    _ x: ValueID, seed: UInt64 = 1, name: String = "conv"
  ) -> ValueID {
    node(
      Conv(padding: .explicit([1, 1, 1, 1])), x, weight([4, 4, 3, 3], seed: seed), name: name)
  }

  fileprivate static let map = [1, 4, 5, 5]
}

@Suite("Fusion of activations") struct FuseActivationTests {
  @Test("makes stages of activations and of clamps with constant bounds")
  func stages() throws {
    let graph = Graph.made { graph in
      let conv = graph.convolution(graph.input(Graph.map))
      let swish = graph.node(Unary(.hardSwish), conv)
      return [graph.node(Clip(), swish, graph.scalar(-1), graph.constant([0.5]))]
    }
    let result = try rewritten(graph, by: FuseActivation(), tolerance: 0)
    #expect(result.kinds == ["FusedConv"])
    #expect(
      try result.onlyStep().stages == [.activation(.hardSwish), .clip(lower: -1, upper: 0.5)])
  }

  @Test("joins clamps and ReLUs into one")
  func joined() throws {
    let graph = Graph.made { graph in
      let relu = graph.node(Unary(.relu), graph.convolution(graph.input(Graph.map)))
      return [graph.node(Clip(), relu, graph.scalar(-1), graph.scalar(0.5))]
    }
    let result = try rewritten(graph, by: FuseActivation(), tolerance: 0)
    #expect(try result.onlyStep().stages == [.clip(lower: 0, upper: 0.5)])
  }

  @Test("leaves an activation of a value that is used elsewhere, and functions that are no stage")
  func leaves() throws {
    let shared = Graph.made { graph in
      let conv = graph.convolution(graph.input(Graph.map))
      return [graph.node(Unary(.relu), conv), graph.node(Unary(.abs), conv)]
    }
    let cosine = Graph.made { graph in
      [graph.node(Unary(.cos), graph.convolution(graph.input(Graph.map)))]
    }
    let moved = Graph.made { graph in
      [graph.node(Unary(.relu), graph.node(Transpose(), graph.input(Graph.map)))]
    }
    for graph in [shared, cosine, moved] {
      #expect(try rewritten(graph, by: FuseActivation(), tolerance: 0).kinds == graph.kinds)
    }
  }
}

@Suite("Fusion of additions") struct FuseAdditionTests {
  @Test("lets the later of two convolutions add the result of the earlier")
  func later() throws {
    let graph = Graph.made { graph in
      let x = graph.input(Graph.map)
      let early = graph.convolution(x)
      let late = graph.convolution(graph.node(Unary(.abs), x), seed: 2)
      return [graph.node(Unary(.relu), graph.node(Binary(.add), late, early))]
    }
    let result = try rewritten(
      graph, by: FuseActivation(ofProductsOnly: true), FuseAddition(), FuseActivation(),
      tolerance: 0)
    #expect(result.kinds == ["Conv", "Abs", "FusedConv"])
    #expect(try result.onlyStep().stages == [.add(nil), .activation(.relu)])
  }

  @Test("leaves sums that broadcast, that add a value to itself, or whose operands are shared")
  func leaves() throws {
    let broadcast = Graph.made { graph in
      let conv = graph.convolution(graph.input(Graph.map))
      return [graph.node(Binary(.add), conv, graph.input([1, 4, 1, 1], name: "z"))]
    }
    let doubled = Graph.made { graph in
      let conv = graph.convolution(graph.input(Graph.map))
      return [graph.node(Binary(.add), conv, conv)]
    }
    let shared = Graph.made { graph in
      let x = graph.input(Graph.map)
      let conv = graph.convolution(x)
      return [graph.node(Binary(.add), conv, x), graph.node(Unary(.abs), conv)]
    }
    for graph in [broadcast, doubled, shared] {
      #expect(try rewritten(graph, by: FuseAddition(), tolerance: 0).kinds == graph.kinds)
    }
  }
}

@Suite("Fusion of codes") struct FuseCodesTests {
  /// int8 x → DQ → conv (quantized weight, int32 bias) → ReLU → Q.
  private func quantizedLayer(bias: Bool = true) -> Graph {
    Graph.made { graph in
      let x = graph.dequantized(graph.input(Graph.map, .int8), scale: 0.02, zeroPoint: 5)
      let weight = graph.weight([4, 4, 3, 3], seed: 1)
      let codes = graph.addConstant(Tensor([Int32(9), -8, 70, 6], shape: [4]), name: "bias")
      let real = graph.node(
        DequantizeLinear(axis: 0), codes, graph.positive(4, seed: 3), name: "real bias")
      let conv =
        bias ? graph.node(Conv(), x, weight, real) : graph.node(Conv(), x, weight)
      return [graph.quantized(graph.node(Unary(.relu), conv), scale: 0.05, zeroPoint: -100)]
    }
  }

  @Test("makes one integer step of a quantized layer", arguments: [false, true])
  func layer(bias: Bool) throws {
    let result = try rewritten(
      quantizedLayer(bias: bias), by: FuseActivation(), FuseDequantization(), FuseQuantization(),
      DropDeadNodes(), tolerance: 0)
    #expect(result.kinds == ["FusedConv"])
    let step = try result.onlyStep()
    #expect(step.inputCodes.map { $0?.elementType } == [.int8, .int8] + (bias ? [.int32] : []))
    #expect(step.inputCodes.map { $0?.axis } == [nil, 0] + (bias ? [0] : []))
    #expect(step.outputCode?.zeroPoints == [-100])
    #expect(step.stages == [.activation(.relu)])
  }

  @Test("leaves out a ReLU that the codes of the result imply")
  func impliedStage() throws {
    let graph = Graph.made { graph in
      let x = graph.dequantized(graph.input(Graph.map, .int8), scale: 0.02)
      let relu = graph.node(Unary(.relu), graph.quantizedConvolution(x))
      return [graph.quantized(relu, scale: 0.05, zeroPoint: -128)]
    }
    let result = try rewritten(
      graph, by: FuseActivation(), FuseDequantization(), FuseQuantization(), tolerance: 0)
    #expect(try result.onlyStep().stages.isEmpty)
  }

  @Test("leaves a convolution whose weight alone, or activation alone, is quantized")
  func partlyQuantized() throws {
    let weightOnly = Graph.made { [$0.quantizedConvolution($0.input(Graph.map))] }
    let activationOnly = Graph.made { graph in
      [graph.convolution(graph.dequantized(graph.input(Graph.map, .int8), scale: 0.02))]
    }
    for graph in [weightOnly, activationOnly] {
      #expect(try rewritten(graph, by: FuseDequantization(), tolerance: 0).kinds == graph.kinds)
    }
  }

  @Test("leaves codes that integer kernels do not read")
  func otherCodes() throws {
    let wide = Graph.made { graph in
      let x = graph.dequantized(
        graph.input(Graph.map, .uint16), scale: 0.02, zeroPoint: 900, .uint16)
      return [graph.quantizedConvolution(x)]
    }
    let alongInputs = Graph.made { graph in
      let x = graph.dequantized(graph.input(Graph.map, .int8), scale: 0.02)
      let codes = Tensor(
        integers: (0..<64).map { Int64($0) }, shape: [4, 4, 2, 2], elementType: .int8)
      let weight = graph.node(
        DequantizeLinear(axis: 1), graph.addConstant(codes, name: "codes"),
        graph.positive(4, seed: 1))
      return [graph.node(Conv(), x, weight)]
    }
    for graph in [wide, alongInputs] {
      #expect(try rewritten(graph, by: FuseDequantization(), tolerance: 0).kinds == graph.kinds)
    }
  }

  @Test("makes integer steps of sums, concatenations, pools and functions between codes")
  func elementwise() throws {
    let roots: [@Sendable (inout Graph, ValueID, ValueID) -> ValueID] = [
      { $0.node(Binary(.add), $1, $2) },
      { $0.node(Binary(.multiply), $1, $2) },
      { $0.node(Concat(axis: 1), $1, $2) },
      { graph, x, _ in graph.node(AveragePool(window: PoolingWindow(kernel: [2, 2])), x) },
      { graph, x, _ in graph.node(GlobalPool(.average), x) },
      { graph, x, _ in graph.node(Unary(.sigmoid), x) },
      { graph, x, _ in graph.node(Binary(.add), x, graph.scalar(0.5)) },
      { graph, x, _ in x },
    ]
    for root in roots {
      let graph = Graph.made { graph in
        let x = graph.dequantized(graph.input(Graph.map, .int8), scale: 0.02)
        let z = graph.dequantized(
          graph.input(Graph.map, .uint8, name: "z"), scale: 0.03, zeroPoint: 10, .uint8)
        return [graph.quantized(root(&graph, x, z), scale: 0.05, zeroPoint: 7, .uint8)]
      }
      let result = try rewritten(
        graph, by: FuseDequantization(), FuseQuantization(), DropDeadNodes(), tolerance: 0)
      #expect(result.nodes.count == 1)
      #expect(try result.onlyStep().outputCode?.elementType == .uint8)
    }
  }

  @Test("reads the codes of what is added")
  func addend() throws {
    let graph = Graph.made { graph in
      let x = graph.dequantized(graph.input(Graph.map, .int8), scale: 0.02)
      return [graph.node(Binary(.add), graph.quantizedConvolution(x), x)]
    }
    let result = try rewritten(
      graph, by: FuseAddition(), FuseDequantization(), DropDeadNodes(), tolerance: 0)
    #expect(result.kinds == ["FusedConv"])
    let code = LinearCode(elementType: .int8, scales: [0.02], zeroPoints: [0])
    #expect(try result.onlyStep().stages == [.add(code)])
  }
}

@Suite("Fusion of inner quantization") struct FuseInnerQuantizationTests {
  @Test("rounds to the codes between a convolution and its addition inside one step")
  func residual() throws {
    let graph = Graph.made { graph in
      let x = graph.dequantized(graph.input(Graph.map, .int8), scale: 0.02)
      let conv = graph.node(Unary(.relu), graph.quantizedConvolution(x))
      let codes = graph.quantized(conv, scale: 0.01, zeroPoint: -128, name: "inner")
      let inner = graph.dequantized(codes, scale: 0.01, zeroPoint: -128)
      let sum = graph.node(Unary(.relu), graph.node(Binary(.add), inner, x))
      return [graph.quantized(sum, scale: 0.05)]
    }
    let result = try rewritten(graph, by: .lowering, tolerance: 0)
    #expect(result.kinds == ["FusedConv"])
    let inner = LinearCode(elementType: .int8, scales: [0.01], zeroPoints: [-128])
    let addend = LinearCode(elementType: .int8, scales: [0.02], zeroPoints: [0])
    #expect(
      try result.onlyStep().stages == [.recode(inner), .add(addend), .activation(.relu)])
  }

  @Test("leaves out a ReLU behind codes that are never negative")
  func impliedStage() throws {
    let graph = Graph.made { graph in
      let x = graph.dequantized(graph.input(Graph.map, .int8), scale: 0.02)
      let codes = graph.quantized(
        graph.quantizedConvolution(x), scale: 0.01, zeroPoint: -128, name: "inner")
      let inner = graph.dequantized(codes, scale: 0.01, zeroPoint: -128)
      return [graph.quantized(graph.node(Unary(.relu), inner), scale: 0.05)]
    }
    let result = try rewritten(graph, by: .lowering, tolerance: 0)
    #expect(try result.onlyStep().stages.count == 1)
  }

  @Test("keeps a pair whose codes another node uses")
  func shared() throws {
    let graph = Graph.made { graph in
      let x = graph.dequantized(graph.input(Graph.map, .int8), scale: 0.02)
      let codes = graph.quantized(graph.quantizedConvolution(x), scale: 0.01, name: "inner")
      let inner = graph.dequantized(codes, scale: 0.01)
      return [graph.node(Binary(.add), inner, x), codes]
    }
    let result = try rewritten(graph, by: FuseInnerQuantization(), tolerance: 0)
    #expect(result.kinds == graph.kinds)
  }
}

@Suite("Movement of codes") struct MovementOfCodesTests {
  /// Operators that move elements, on 1 × 4 × 5 × 5.
  static let movements: [@Sendable (inout Graph, ValueID) -> ValueID] = [
    {
      $0.node(
        MaxPool(window: PoolingWindow(kernel: [2, 2], padding: .explicit([1, 0, 0, 1]))), $1)
    },
    { $0.node(Reshape(), $1, $0.integers([2, -1])) },
    { $0.node(Flatten(), $1) },
    { $0.node(Transpose(permutation: [0, 2, 3, 1]), $1) },
    { $0.node(Slice(), $1, $0.integers([1]), $0.integers([3]), $0.integers([2])) },
    { $0.node(Unsqueeze(), $1, $0.integers([0])) },
    { $0.node(Pad(), $1, $0.integers([0, 0, 1, 1, 0, 0, 0, 2])) },
    { $0.node(Gather(axis: 1), $1, $0.integers([2, 0])) },
    { $0.node(DepthToSpace(blockSize: 2), $1) },
    { $0.node(Resize(), $1, nil, $0.constant([1, 1, 2, 1.5])) },
  ]

  @Test("runs movements on codes between equal codes", arguments: movements.indices)
  func sinks(_ position: Int) throws {
    let graph = Graph.made { graph in
      let x = graph.dequantized(graph.input([1, 4, 5, 5], .int8), scale: 0.02, zeroPoint: 3)
      return [graph.quantized(Self.movements[position](&graph, x), scale: 0.02, zeroPoint: 3)]
    }
    let result = try rewritten(
      graph, by: SinkDequantization(), CancelRequantization(), DropDeadNodes(), tolerance: 0)
    #expect(result.nodes.count == 1)
  }

  @Test("joins tensors of one code on codes, and not those of several")
  func concatenation() throws {
    for other in [Float(0.02), 0.03] {
      let graph = Graph.made { graph in
        let x = graph.dequantized(graph.input([1, 2], .int8), scale: 0.02)
        let z = graph.dequantized(graph.input([1, 2], .int8, name: "z"), scale: other)
        return [graph.node(Concat(axis: 1), x, z)]
      }
      let result = try rewritten(graph, by: SinkDequantization(), DropDeadNodes(), tolerance: 0)
      #expect(result.nodes.count == (other == 0.02 ? 2 : 3))
    }
  }

  @Test("does not fill with a number that the codes lack")
  func fill() throws {
    let graph = Graph.made { graph in
      let x = graph.dequantized(graph.input([1, 2], .int8), scale: 0.02)
      return [graph.node(Pad(), x, graph.integers([0, 1, 0, 1]), graph.scalar(0.013))]
    }
    #expect(try rewritten(graph, by: SinkDequantization(), tolerance: 0).kinds == graph.kinds)
  }

  @Test("quantizes before a movement what is computed for it alone", arguments: movements.indices)
  func hoists(_ position: Int) throws {
    let graph = Graph.made { graph in
      let x = graph.node(Unary(.tanh), graph.input([1, 4, 5, 5]))
      return [graph.quantized(Self.movements[position](&graph, x), scale: 0.02, zeroPoint: 3)]
    }
    let result = try rewritten(graph, by: HoistQuantization(), tolerance: 0)
    #expect(Array(result.kinds.prefix(2)) == ["Tanh", "QuantizeLinear"])
  }
}
