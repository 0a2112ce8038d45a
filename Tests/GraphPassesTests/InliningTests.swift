// SPDX-License-Identifier: Apache-2.0
import GraphIR
import GraphPasses
import TensorCore
import Testing

@Suite("Graphs inside nodes come out where that can be done")
struct InliningTests {
  private func branch(_ op: any Op) -> Subgraph {
    var graph = Graph(name: "branch")
    let x = graph.addInput(name: "x", type: nil)
    graph.setOutputs(graph.addNode(op, name: "inner", inputs: [x], outputNames: ["result"]))
    return Subgraph(graph)
  }

  @Test("An If whose condition follows from the shapes becomes its branch")
  func branches() throws {
    let graph = Graph.made { graph in
      let x = graph.input([1, 3])
      let extent = graph.node(Gather(), graph.node(Shape(), x), graph.integers([0]))
      let isOne = graph.node(Binary(.equal), extent, graph.integers([1]))
      let op = If(then: branch(Unary(.negate)), else: branch(Unary(.abs)))
      return [graph.node(op, isOne, x, name: "y")]
    }
    let pipeline = PassPipeline(FoldKnownValues(), InlineBranches(), DropDeadNodes())
    let result = try pipeline.run(graph).graph
    #expect(result.kinds == ["Neg"])
    #expect(result.outputs.map { result[$0].name } == ["y"])
  }

  @Test("A branch that gives a captured value back becomes a copy")
  func passingOn() throws {
    var body = Graph(name: "branch")
    let inner = body.addInput(name: "x", type: nil)
    body.setOutputs([inner])
    let op = If(then: Subgraph(body), else: branch(Unary(.abs)))
    let graph = Graph.made { graph in
      let condition = Tensor([UInt8(1)], shape: [1]).converted(to: .bool)
      let isTrue = graph.addConstant(condition, name: "condition")
      return [graph.node(op, isTrue, graph.input([2]), name: "y")]
    }
    #expect(try PassPipeline(InlineBranches()).run(graph).graph.kinds == ["Identity"])
  }

  @Test("An If whose condition is not known stays, and no Loop is computed beforehand")
  func unknown() throws {
    let graph = Graph.made { graph in
      let op = If(then: branch(Unary(.negate)), else: branch(Unary(.abs)))
      let flag = graph.addInput(name: "flag", type: TensorType(.bool, []))
      return [graph.node(op, flag, graph.constant([1, 2]), name: "y")]
    }
    #expect(try PassPipeline.portable.run(graph).graph.kinds == ["If"])
  }

  @Test("Functions become their bodies with the same results")
  func functions() throws {
    let graph = Graph.made { graph in
      let x = graph.input([2, 4])
      let normal = graph.node(RMSNormalization(), x, graph.constant([1, 2, 3, 4]))
      let gelu = FusedFunction(.biasGelu)
      return [graph.node(gelu, normal, graph.constant([0, 1, 0, 1]), name: "y")]
    }
    let portable = try rewritten(
      graph, by: ExpandFunctions(keepsStandardOperators: true), tolerance: 0)
    #expect(portable.kinds == ["RMSNormalization", "Add", "Gelu"])
    let whole = try rewritten(graph, by: ExpandFunctions(), tolerance: 0)
    #expect(!whole.nodes.contains { $0.op is any CompositeOp })
  }
}
