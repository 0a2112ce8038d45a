// SPDX-License-Identifier: Apache-2.0
import GraphIR
import GraphPasses
import TensorCore
import Testing

@Suite("Pass pipeline") struct PassPipelineTests {
  /// Wraps what a closure does.
  private struct Rule: GraphPass {
    let name = "rule"
    let rule: @Sendable (Node, GraphIndex) -> GraphPatch?
    func patch(at node: Node, in index: GraphIndex) -> GraphPatch? { rule(node, index) }
  }

  private func chain(of count: Int) -> Graph {
    Graph.made { graph in
      var x = graph.node(Unary(.abs), graph.input([2]))
      for _ in 0..<count { x = graph.node(Identity(), x) }
      return [graph.node(Unary(.negate), x, name: "y")]
    }
  }

  @Test("stops after the given number of patches", arguments: [0, 1, 3, 100])
  func limit(_ patches: Int) throws {
    let (graph, reports) = try PassPipeline(DropIdentities())
      .run(chain(of: 5), stoppingAfter: patches)
    #expect(graph.nodes.count == 2 + max(0, 5 - patches))
    #expect(reports.map(\.patches) == [min(5, patches)])
  }

  @Test("gives the same graph however its patches are cut into batches")
  func batches() throws {
    let graph = chain(of: 9)
    var stepwise = graph
    for _ in 0..<9 {
      stepwise = try PassPipeline(DropIdentities()).run(stepwise, stoppingAfter: 1).graph
    }
    #expect(stepwise.kinds == (try PassPipeline(DropIdentities()).run(graph).graph.kinds))
  }

  @Test("reports a pass that does not come to an end")
  func endless() throws {
    let pass = Rule { node, index in
      var patch = GraphPatch(of: index.graph)
      patch.remove(node)
      patch.addNode(node.op, name: "", inputs: node.inputs, outputs: node.outputs)
      return patch
    }
    let error = #expect(throws: PassError.self) { try PassPipeline(pass).run(chain(of: 1)) }
    guard case .doesNotEnd(pass: "rule", patches: _) = error else {
      Issue.record("unexpected \(String(describing: error))")
      return
    }
  }

  @Test("reports a pass that leaves a value without producer")
  func broken() throws {
    let pass = Rule { node, index in
      guard node.op is Unary, node.outputs.first.map({ $0.map(index.isOutput) == false }) == true
      else { return nil }
      var patch = GraphPatch(of: index.graph)
      patch.remove(node)
      return patch
    }
    let error = #expect(throws: PassError.self) { try PassPipeline(pass).run(chain(of: 0)) }
    #expect(error?.description.contains("pass rule breaks the graph") == true)
  }

  @Test("applies patches together only where they share no value that one of them changes")
  func conflicts() throws {
    let graph = chain(of: 2)
    let patches = graph.nodes.filter { $0.op is Identity }.map { node in
      var patch = GraphPatch(of: graph)
      patch.remove(node)
      if let old = node.outputs[0], let new = node.inputs[0] { patch.replace(old, with: new) }
      return patch
    }
    var batch = PatchBatch()
    let accepted = patches.map { batch.accept($0) }
    #expect(accepted == [true, false])
    #expect(try graph.applying(batch).kinds == ["Abs", "Identity", "Neg"])
  }

  @Test("forgets constants that nothing uses any more")
  func constants() throws {
    let graph = Graph.made { graph in
      let conv = graph.node(
        Conv(), graph.input([1, 2, 4, 4]), graph.random([2, 2, 1, 1], seed: 1))
      return [graph.normalization(conv, channels: 2, seed: 3)]
    }
    let result = try PassPipeline.portable.run(graph).graph
    let mean = try #require(result.value(named: "mean"))
    #expect(result[mean].constant == nil)
  }

  @Test("refuses nodes that lack inputs, by name")
  func missingInputs() throws {
    var graph = Graph()
    let x = graph.addInput(name: "x", type: TensorType(.float32, shape: [2, 3, 4]))
    graph.markOutput(
      graph.addNode(MatMul(), name: "lonely", inputs: [x], outputNames: ["y"])[0])
    for pipeline in [PassPipeline.portable, .lowering, .trainable] {
      let error = #expect(throws: PassError.self) { try pipeline.run(graph) }
      #expect(error?.description.contains("lonely") == true)
    }
  }

  @Test("handles thousands of nodes in seconds")
  func size() throws {
    let graph = Graph.made { graph in
      var x = graph.input([1, 2, 3, 3])
      for layer in 0..<1000 {
        let weight = graph.random([2, 2, 1, 1], seed: UInt64(layer))
        let conv = graph.normalization(
          graph.node(Conv(), x, weight), channels: 2, seed: UInt64(layer))
        x = graph.node(Identity(), graph.node(Binary(.add), graph.node(Unary(.relu), conv), x))
      }
      return [x]
    }
    #expect(graph.nodes.count == 5000)
    let clock = ContinuousClock()
    var result = graph
    let time = try clock.measure {
      result = try PassPipeline.lowering.run(try PassPipeline.portable.run(graph).graph).graph
    }
    #expect(result.nodes.count == 1000)
    // Far above what it takes in a debug build; a pass that is quadratic would take minutes.
    #expect(time < .seconds(60))
  }
}
