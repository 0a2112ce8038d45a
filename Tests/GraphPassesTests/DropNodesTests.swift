// SPDX-License-Identifier: Apache-2.0
import GraphIR
import GraphPasses
import TensorCore
import Testing

@Suite("Dropping of identities") struct DropIdentitiesTests {
  /// Nodes that change nothing, each on a tensor of 2 × 3.
  static let identities: [@Sendable (inout Graph, ValueID) -> ValueID] = [
    { graph, x in graph.node(Identity(), x) },
    { graph, x in graph.node(Dropout(), x) },
    { graph, x in graph.node(Cast(to: .float32), x) },
    { graph, x in graph.node(Flatten(), x) },
    { graph, x in graph.node(Reshape(), x, graph.integers([2, -1])) },
    { graph, x in graph.node(Transpose(permutation: [0, 1]), x) },
    { graph, x in graph.node(Pad(), x, graph.integers([0, 0, 0, 0])) },
    { graph, x in
      graph.node(Slice(), x, graph.integers([0]), graph.integers([99]), graph.integers([1]))
    },
    { graph, x in graph.node(Expand(), x, graph.integers([1, 3])) },
    { graph, x in graph.node(Tile(), x, graph.integers([1, 1])) },
    { graph, x in graph.node(Concat(axis: 0), x) },
    { graph, x in graph.node(Variadic(.sum), x) },
    { graph, x in graph.node(Clip(), x) },
    { graph, x in graph.node(Binary(.add), x, graph.scalar(0)) },
    { graph, x in graph.node(Binary(.multiply), x, graph.scalar(1)) },
  ]

  @Test("removes each kind of node that changes nothing", arguments: identities.indices)
  func drops(_ position: Int) throws {
    let graph = Graph.made { graph in
      let x = graph.node(Unary(.abs), graph.input([2, 3]))
      return [graph.node(Unary(.negate), Self.identities[position](&graph, x), name: "y")]
    }
    #expect(try rewritten(graph, by: DropIdentities(), tolerance: 0).kinds == ["Abs", "Neg"])
  }

  /// Nodes that look alike and change something.
  static let changes: [@Sendable (inout Graph, ValueID) -> ValueID] = [
    { graph, x in graph.node(Cast(to: .float16), x) },
    { graph, x in graph.node(Reshape(), x, graph.integers([3, 2])) },
    { graph, x in graph.node(Transpose(), x) },
    { graph, x in graph.node(Pad(), x, graph.integers([1, 0, -1, 0])) },
    { graph, x in
      graph.node(
        Slice(), x, graph.integers([-1]), graph.integers([-99]), graph.integers([1]),
        graph.integers([-1]))
    },
    { graph, x in graph.node(Binary(.add), x, graph.constant([0], [1, 1, 1])) },
    { graph, x in graph.node(Binary(.multiply), x, graph.scalar(2)) },
  ]

  @Test("keeps nodes that change something", arguments: changes.indices)
  func keeps(_ position: Int) throws {
    let graph = Graph.made { graph in
      let x = graph.node(Unary(.abs), graph.input([2, 3]))
      return [graph.node(Unary(.negate), Self.changes[position](&graph, x), name: "y")]
    }
    #expect(try rewritten(graph, by: DropIdentities(), tolerance: 0).nodes.count == 3)
  }

  @Test("keeps an identity that hands an input of the graph to an output")
  func inputToOutput() throws {
    let graph = Graph.made { graph in [graph.node(Identity(), graph.input([2]), name: "y")] }
    #expect(try rewritten(graph, by: DropIdentities(), tolerance: 0).kinds == ["Identity"])
  }

  @Test("keeps a Dropout whose mask is used")
  func mask() throws {
    let graph = Graph.made { graph in
      graph.addNode(
        Dropout(), inputs: [graph.input([2])], outputNames: ["y", "mask"])
    }
    #expect(try rewritten(graph, by: DropIdentities(), tolerance: 0).kinds == ["Dropout"])
  }

  @Test("gives the name of an output to the value that takes its place")
  func outputName() throws {
    let graph = Graph.made { graph in
      [graph.node(Identity(), graph.node(Unary(.abs), graph.input([2])), name: "y")]
    }
    #expect(try rewritten(graph, by: DropIdentities(), tolerance: 0).kinds == ["Abs"])
  }
}

@Suite("Declared types of outputs") struct DeclaredOutputTests {
  @Test("go to the value that takes an output's place")
  func declaredType() throws {
    var graph = Graph()
    let x = graph.addInput(name: "x", type: TensorType(.float32, nil))
    let y = graph.node(Identity(), graph.node(Unary(.abs), x), name: "y")
    graph.setType(TensorType(.float32, [.symbol("N"), .fixed(3)]), of: y)
    graph.markOutput(y)
    let result = try PassPipeline(DropIdentities()).run(graph).graph
    #expect(result.kinds == ["Abs"])
    #expect(result[result.outputs[0]].type?.dimensions == [.symbol("N"), .fixed(3)])
  }
}

@Suite("Dropping of dead nodes") struct DropDeadNodesTests {
  @Test("removes a whole branch that leads nowhere, in one patch")
  func branch() throws {
    let graph = Graph.made { graph in
      let x = graph.input([2])
      var dead = graph.node(Unary(.abs), x)
      for _ in 0..<20 { dead = graph.node(Unary(.negate), dead) }
      return [graph.node(Unary(.relu), x, name: "y")]
    }
    let (result, reports) = try PassPipeline(DropDeadNodes()).run(graph)
    #expect(result.kinds == ["Relu"])
    #expect(reports == [PassReport(pass: "drop-dead-nodes", patches: 1)])
  }

  @Test("keeps a node one of whose results is used")
  func partlyUsed() throws {
    let graph = Graph.made { graph in
      let parts = graph.addNode(
        Split(axis: 0), inputs: [graph.input([4])], outputNames: ["a", "b"])
      return [graph.node(Unary(.relu), parts[1], name: "y")]
    }
    #expect(try rewritten(graph, by: DropDeadNodes(), tolerance: 0).kinds == ["Split", "Relu"])
  }
}

@Suite("Merging of equal nodes") struct MergeEqualNodesTests {
  @Test("lets equal nodes share one result, and what follows from it")
  func shares() throws {
    let graph = Graph.made { graph in
      let x = graph.input([2])
      let branches = (0..<3).map { _ in
        graph.node(Unary(.exp), graph.node(Unary(.abs), x))
      }
      return [
        graph.node(Binary(.add), graph.node(Binary(.add), branches[0], branches[1]), branches[2])
      ]
    }
    let result = try rewritten(graph, by: MergeEqualNodes(), tolerance: 0)
    #expect(result.kinds == ["Abs", "Exp", "Add", "Add"])
  }

  @Test("keeps nodes apart that differ in attributes or inputs, and two outputs of the graph")
  func different() throws {
    let graph = Graph.made { graph in
      let x = graph.input([2])
      return [
        graph.node(Unary(.leakyRelu(alpha: 0.1)), x), graph.node(Unary(.leakyRelu(alpha: 0.2)), x),
        graph.node(Unary(.abs), x), graph.node(Unary(.abs), x),
      ]
    }
    #expect(try rewritten(graph, by: MergeEqualNodes(), tolerance: 0).nodes.count == 4)
  }

  @Test("keeps pairs of quantizing nodes apart unless asked")
  func quantization() throws {
    let graph = Graph.made { graph in
      let x = graph.input([4], .int8)
      let scale = graph.scalar(0.5)
      return [
        graph.node(
          Binary(.add), graph.node(DequantizeLinear(), x, scale),
          graph.node(DequantizeLinear(), x, scale))
      ]
    }
    #expect(try rewritten(graph, by: MergeEqualNodes(), tolerance: 0).nodes.count == 3)
    let merged = try rewritten(graph, by: MergeEqualNodes(mergesQuantization: true), tolerance: 0)
    #expect(merged.nodes.count == 2)
  }
}
