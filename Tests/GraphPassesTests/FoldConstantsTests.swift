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

  @Test("a long chain is folded in one sweep", .timeLimit(.minutes(1)))
  func longChain() throws {
    let graph = Graph.made { graph in
      var value = graph.constant([1, 2])
      for _ in 0..<6001 { value = graph.node(Unary(.negate), value) }
      return [graph.node(Binary(.add), graph.input([2]), value, name: "y")]
    }
    let result = try PassPipeline(FoldConstants()).run(graph).graph
    #expect(result.kinds == ["Add"])
    #expect(result.constant(result.nodes[0].inputs[1]) == Tensor([Float(-1), -2], shape: [2]))
  }

  @Test("copies of copies of a constant are not made without bound")
  func copies() throws {
    let graph = Graph.made { graph in
      var value = graph.constant([Float](repeating: 1, count: 4096))
      for _ in 0..<4 {
        let many = [ValueID?](repeating: value, count: 64)
        value = graph.addNode(Concat(axis: 0), inputs: many, outputNames: ["copies"])[0]
      }
      return [graph.node(Binary(.add), graph.input([1]), value, name: "y")]
    }
    let result = try PassPipeline(FoldConstants()).run(graph).graph
    // 16 KiB becomes 1 MiB, which may always be; 64 MiB of one constant of 1 MiB may not.
    #expect(result.kinds == ["Concat", "Concat", "Concat", "Add"])
  }

  @Test("nothing is folded that would take more memory than there is allowance")
  func allowance() throws {
    let graph = Graph.made { graph in
      let value = graph.node(Unary(.negate), graph.constant([1, 2]))
      return [graph.node(Binary(.add), graph.input([2]), value, name: "y")]
    }
    let node = try #require(graph.nodes.first)
    let narrow = GraphIndex(graph, constantAllowance: 7)
    let refused = FoldConstants().patch(at: node, in: narrow) == nil
    #expect(refused)
    var index = GraphIndex(graph, constantAllowance: 8)
    let patch = try #require(FoldConstants().patch(at: node, in: index))
    index.expect(patch)
    #expect(index.constantAllowance == 0)
    #expect(index.constant(node.outputs[0]) == Tensor([Float(-1), -2], shape: [2]))
  }
}
