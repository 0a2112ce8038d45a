// SPDX-License-Identifier: Apache-2.0
import GraphIR
import GraphPasses
import TensorCore
import Testing

@Suite("Constant folding") struct FoldConstantsTests {
  @Test("computes a chain of nodes over constants and keeps the name of its result")
  func chain() throws {
    let graph = Graph.made { graph in
      let x = graph.input([2])
      let sum = graph.node(Binary(.add), graph.constant([1, 2]), graph.constant([3, 4]))
      let product = graph.node(Binary(.multiply), sum, graph.scalar(2), name: "product")
      return [graph.node(Binary(.add), x, product, name: "y")]
    }
    let result = try rewritten(graph, by: FoldConstants(), tolerance: 0)
    #expect(result.kinds == ["Add"])
    let folded = try #require(result.value(named: "product"))
    #expect(result[folded].constant == Tensor([Float(8), 12], shape: [2]))
  }

  @Test("leaves quantized weights quantized unless asked")
  func quantizedWeights() throws {
    let graph = Graph.made { graph in
      let x = graph.input([1, 2, 3, 3])
      return [graph.node(Conv(), x, graph.weight([4, 2, 1, 1], seed: 1), name: "y")]
    }
    #expect(try rewritten(graph, by: FoldConstants()).kinds == ["DequantizeLinear", "Conv"])
    #expect(try rewritten(graph, by: FoldConstants(dequantizes: true)).kinds == ["Conv"])
  }

  @Test("leaves a result that is much larger than what it is computed from")
  func largeResult() throws {
    let graph = Graph.made { graph in
      let shape = graph.integers([1024, 512])
      let zeros = graph.node(ConstantOfShape(), shape)
      return [graph.node(Binary(.add), graph.input([1]), zeros, name: "y")]
    }
    let result = try PassPipeline(FoldConstants()).run(graph)
    #expect(result.graph.kinds == ["ConstantOfShape", "Add"])
    #expect(result.reports == [PassReport(pass: "fold-constants", patches: 0)])
  }

  @Test("leaves nodes whose result is an output of the graph")
  func output() throws {
    let graph = Graph.made { graph in
      [graph.node(Unary(.relu), graph.constant([-1, 1]), name: "y")]
    }
    #expect(try rewritten(graph, by: FoldConstants()).kinds == ["Relu"])
  }
}
