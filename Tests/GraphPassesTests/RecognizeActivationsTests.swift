// SPDX-License-Identifier: Apache-2.0
import Foundation
import GraphIR
import GraphPasses
import TensorCore
import Testing

@Suite("Recognition of activations") struct RecognizeActivationsTests {
  typealias Spelling = @Sendable (inout Graph, ValueID) -> ValueID

  static let hardSwishes: [Spelling] = [
    { graph, x in
      let gate = graph.node(
        Clip(), graph.node(Binary(.add), x, graph.scalar(3)), graph.scalar(0), graph.scalar(6))
      return graph.node(
        Binary(.multiply), x, graph.node(Binary(.divide), gate, graph.scalar(6)))
    },
    { graph, x in
      let gate = graph.node(
        Clip(), graph.node(Binary(.add), graph.scalar(3), x), graph.scalar(0), graph.scalar(6))
      return graph.node(
        Binary(.multiply), graph.node(Binary(.multiply), gate, x), graph.scalar(1 / 6))
    },
    { graph, x in
      graph.node(
        Binary(.multiply), graph.node(Unary(.hardSigmoid(alpha: 1 / 6, beta: 0.5)), x), x)
    },
  ]

  static let gaussianByErf: [Spelling] = [
    { graph, x in
      let erf = graph.node(Unary(.erf), graph.node(Binary(.divide), x, graph.scalar(1.4142135)))
      let product = graph.node(
        Binary(.multiply), x, graph.node(Binary(.add), erf, graph.scalar(1)))
      return graph.node(Binary(.multiply), product, graph.scalar(0.5))
    },
    { graph, x in
      let erf = graph.node(
        Unary(.erf), graph.node(Binary(.multiply), x, graph.scalar(0.70710677)))
      return graph.node(
        Binary(.multiply), graph.node(Binary(.multiply), graph.scalar(0.5), x),
        graph.node(Binary(.add), graph.scalar(1), erf))
    },
  ]

  static let gaussianByTanh: [Spelling] = [
    { graph, x in
      let cube = graph.node(Binary(.power), x, graph.scalar(3))
      return tanhGate(&graph, x, cube: cube)
    },
    { graph, x in
      let square = graph.node(Binary(.multiply), x, x)
      return tanhGate(&graph, x, cube: graph.node(Binary(.multiply), square, x))
    },
  ]

  @Test("writes HardSwish as one operator from operator set 14 on", arguments: hardSwishes.indices)
  func recognizesHardSwish(_ position: Int) throws {
    let result = try recognized(Self.hardSwishes[position], opset: 14)
    #expect(result.kinds == ["HardSwish"])
    let old = try recognized(Self.hardSwishes[position], opset: 13)
    #expect(!old.kinds.contains("HardSwish"))
    let ours = try recognized(Self.hardSwishes[position], opset: 13, keepsOperatorSet: false)
    #expect(ours.kinds == ["HardSwish"])
  }

  @Test(
    "writes GELU by erf as one operator from operator set 20 on", arguments: gaussianByErf.indices)
  func recognizesGelu(_ position: Int) throws {
    let result = try recognized(Self.gaussianByErf[position], opset: 20)
    #expect((result.nodes.first?.op as? Unary)?.function == .gelu(tanhApproximation: false))
    #expect(try recognized(Self.gaussianByErf[position], opset: 17).nodes.count == 5)
  }

  @Test("tells GELU by tanh from GELU by erf", arguments: gaussianByTanh.indices)
  func recognizesApproximation(_ position: Int) throws {
    let result = try recognized(Self.gaussianByTanh[position], opset: 20)
    #expect((result.nodes.first?.op as? Unary)?.function == .gelu(tanhApproximation: true))
  }

  @Test("writes SiLU, its scaled form and Mish for our runtime only")
  func gated() throws {
    let spellings: [(Spelling, Unary.Function)] = [
      ({ $0.node(Binary(.multiply), $1, $0.node(Unary(.sigmoid), $1)) }, .swish(alpha: 1)),
      (
        {
          let scaled = $0.node(Binary(.multiply), $1, $0.scalar(1.702))
          return $0.node(Binary(.multiply), $0.node(Unary(.sigmoid), scaled), $1)
        }, .swish(alpha: 1.702)
      ),
      (
        {
          $0.node(
            Binary(.multiply), $1, $0.node(Unary(.tanh), $0.node(Unary(.softplus), $1)))
        }, .mish
      ),
    ]
    for (spelling, function) in spellings {
      let result = try recognized(spelling, opset: 17, keepsOperatorSet: false)
      #expect(result.nodes.map { ($0.op as? Unary)?.function } == [function])
      #expect(try recognized(spelling, opset: 17).nodes.count > 1)
    }
  }

  @Test("writes HardSigmoid as one operator in every operator set")
  func hardSigmoid() throws {
    let result = try recognized(
      { graph, x in
        let gate = graph.node(
          Clip(), graph.node(Binary(.add), x, graph.scalar(3)), graph.scalar(0), graph.scalar(6))
        return graph.node(Binary(.divide), gate, graph.scalar(6))
      }, opset: 11)
    #expect(
      result.nodes.map { ($0.op as? Unary)?.function } == [.hardSigmoid(alpha: 1 / 6, beta: 0.5)])
  }

  @Test("leaves arithmetic with other constants or other inputs")
  func others() throws {
    let spellings: [Spelling] = [
      { $0.node(Binary(.multiply), $1, $0.node(Unary(.sigmoid), $0.node(Unary(.abs), $1))) },
      { $0.node(Binary(.multiply), $0.node(Unary(.abs), $1), $0.node(Unary(.sigmoid), $1)) },
      { graph, x in
        let gate = graph.node(
          Clip(), graph.node(Binary(.add), x, graph.scalar(3)), graph.scalar(0), graph.scalar(5))
        return graph.node(
          Binary(.multiply), x, graph.node(Binary(.divide), gate, graph.scalar(6)))
      },
      { graph, x in
        let erf = graph.node(Unary(.erf), graph.node(Binary(.divide), x, graph.scalar(1.5)))
        let product = graph.node(
          Binary(.multiply), x, graph.node(Binary(.add), erf, graph.scalar(1)))
        return graph.node(Binary(.multiply), product, graph.scalar(0.5))
      },
    ]
    for spelling in spellings {
      let result = try recognized(spelling, opset: 21, keepsOperatorSet: false)
      #expect(result.nodes.count > 1)
    }
  }

  private func recognized(
    _ spelling: Spelling, opset: Int, keepsOperatorSet: Bool = true
  ) throws -> Graph {
    let graph = Graph.made(opset: opset) { graph in
      let x = graph.input([2, 50])
      return [spelling(&graph, x)]
    }
    let x = Tensor.random([2, 50], seed: 5).floats().map { $0 * 6 }
    return try rewritten(
      graph, by: RecognizeActivations(keepsOperatorSet: keepsOperatorSet), DropDeadNodes(),
      inputs: ["x": Tensor(x, shape: [2, 50])])
  }

  private static func tanhGate(_ graph: inout Graph, _ x: ValueID, cube: ValueID) -> ValueID {
    let sum = graph.node(
      Binary(.add), x, graph.node(Binary(.multiply), graph.scalar(0.044715), cube))
    let tanh = graph.node(
      Unary(.tanh), graph.node(Binary(.multiply), graph.scalar(0.7978845608), sum))
    return graph.node(
      Binary(.multiply), graph.node(Binary(.multiply), graph.scalar(0.5), x),
      graph.node(Binary(.add), tanh, graph.scalar(1)))
  }
}

@Suite("Recognition of layer normalization") struct RecognizeLayerNormalizationTests {
  private func spelled(axes: [Int64], opset: Int = 17, affine: Bool = true) -> Graph {
    Graph.made(opset: opset) { graph in
      let x = graph.input([2, 3, 8])
      let mean = graph.node(Reduce(.mean), x, graph.integers(axes))
      let deviation = graph.node(Binary(.subtract), x, mean)
      let square = graph.node(Binary(.power), deviation, graph.scalar(2))
      let variance = graph.node(Reduce(.mean), square, graph.integers(axes), name: "variance")
      let root = graph.node(
        Unary(.sqrt), graph.node(Binary(.add), variance, graph.scalar(1e-5)))
      let quotient = graph.node(Binary(.divide), deviation, root)
      if !affine { return [quotient] }
      let scaled = graph.node(Binary(.multiply), quotient, graph.random([8], seed: 1, "scale"))
      return [graph.node(Binary(.add), graph.random([8], seed: 2, "shift"), scaled)]
    }
  }

  @Test("takes the scale and the bias in")
  func affine() throws {
    let result = try rewritten(
      spelled(axes: [-1]), by: RecognizeLayerNormalization(keepsOperatorSet: true),
      DropDeadNodes())
    #expect(result.kinds == ["LayerNormalization"])
    #expect(result.nodes[0].inputs.count == 3)
  }

  @Test("has a scale of ones where there is none")
  func plain() throws {
    let result = try rewritten(
      spelled(axes: [1, 2], affine: false), by: RecognizeLayerNormalization(keepsOperatorSet: true),
      DropDeadNodes())
    #expect(result.kinds == ["LayerNormalization"])
  }

  @Test("leaves other axes, and operator sets without it")
  func leaves() throws {
    let pass = RecognizeLayerNormalization(keepsOperatorSet: true)
    for graph in [spelled(axes: [1], affine: false), spelled(axes: [-1], opset: 16)] {
      #expect(try rewritten(graph, by: pass).kinds == graph.kinds)
    }
  }
}
