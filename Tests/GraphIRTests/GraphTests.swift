// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Graph")
struct GraphTests {
  /// The chain x → Relu → a → Neg → b.
  private func chain() -> (graph: Graph, x: ValueID, a: ValueID, b: ValueID) {
    var graph = Graph()
    let x = graph.addInput(name: "x", type: TensorType(.float32, [.symbol("N"), .fixed(2)]))
    let a = graph.addNode(Unary(.relu), name: "first", inputs: [x], outputNames: ["a"])[0]
    let b = graph.addNode(Unary(.negate), name: "second", inputs: [a], outputNames: ["b"])[0]
    graph.markOutput(b)
    return (graph, x, a, b)
  }

  @Test("Names are unique")
  func names() {
    var graph = Graph()
    let first = graph.addInput(name: "x", type: nil)
    let second = graph.addValue(name: "x")
    #expect(graph[first].name == "x")
    #expect(graph[second].name == "x_1")
    #expect(graph.value(named: "x_1") == second)
  }

  @Test("A patch may give the output of a removed node to a new one")
  func takeOver() throws {
    let (graph, x, _, b) = chain()
    var patch = GraphPatch(of: graph)
    for node in graph.nodes { patch.remove(node) }
    patch.addNode(Unary(.exp), name: "both", inputs: [x], outputs: [b])
    let changed = try graph.applying(patch)
    #expect(changed.nodes.map(\.name) == ["both"])
    #expect(changed[changed.outputs[0]].name == "b")
    try Verifier.verify(changed)
  }

  @Test("An output keeps its name when another value takes its place")
  func outputName() throws {
    let (graph, _, a, b) = chain()
    var patch = GraphPatch(of: graph)
    patch.remove(graph.nodes[1])
    patch.replace(b, with: a)
    let changed = try graph.applying(patch)
    #expect(changed[changed.outputs[0]].name == "b")
    try Verifier.verify(changed)
    let result = try Interpreter(changed).run(["x": Tensor([Float(-1), 2], shape: [1, 2])])
    #expect(result == [Tensor([Float(0), 2], shape: [1, 2])])
  }

  @Test("A patch that makes a circle is refused")
  func cycle() {
    let (graph, _, a, b) = chain()
    var patch = GraphPatch(of: graph)
    patch.remove(graph.nodes[0])
    patch.addNode(Unary(.relu), name: "round", inputs: [b], outputs: [a])
    #expect(throws: GraphError.self) { try graph.applying(patch) }
  }

  @Test("The verifier finds undefined values, double definitions and wrong types")
  func verifier() throws {
    var (graph, _, a, _) = chain()
    try Verifier.verify(graph)
    graph.setType(TensorType(.int64, shape: [3]), of: a)
    #expect(throws: GraphError.self) { try Verifier.verify(graph) }

    var undefined = chain().graph
    let ghost = undefined.addValue(name: "ghost")
    undefined.addNode(Unary(.relu), name: "haunted", inputs: [ghost], outputNames: ["c"])
    #expect(throws: GraphError.undefinedValue(value: "ghost", node: "haunted")) {
      try Verifier.verify(undefined)
    }

    var twice = chain().graph
    let repeated = twice.nodes[0]
    twice.addNode(Unary(.exp), name: "again", inputs: repeated.inputs, outputs: repeated.outputs)
    #expect(throws: GraphError.computedTwice(value: "a")) { try Verifier.verify(twice) }
  }

  @Test("Types carry the batch symbol until the batch is fixed")
  func inference() throws {
    var (graph, _, _, b) = chain()
    graph.inferTypes()
    #expect(graph[b].type == TensorType(.float32, [.symbol("N"), .fixed(2)]))
    #expect(try graph.specialized(batch: 5)[b].type?.shape == [5, 2])
    #expect(throws: GraphError.self) { try graph.specialized(to: ["x": [1, 3]]) }
    #expect(throws: GraphError.unknownInput(name: "z", expected: ["x"])) {
      try graph.specialized(to: ["z": [1]])
    }
  }

  @Test("Free extents become what the target of a reshape states")
  func statedExtents() throws {
    var graph = Graph()
    let x = graph.addInput(
      name: "x", type: TensorType(.float32, [.symbol("N"), .symbol("S"), .fixed(6)]))
    let target = graph.addConstant(Tensor([Int64(11), 2, 3], shape: [3]), name: "target")
    let y = graph.addNode(Reshape(), inputs: [x, target], outputNames: ["y"])[0]
    graph.markOutput(y)
    #expect(try graph.specialized(batch: 1)[x].type?.shape == [1, 11, 6])
    #expect(try graph.specialized(batch: 11)[x].type?.shape == [11, 1, 6])
  }

  @Test("The interpreter names a missing, unknown or misshapen input")
  func interpreterInputs() {
    let interpreter = Interpreter(chain().graph)
    #expect(throws: GraphError.missingInput(name: "x", expected: ["x"])) {
      try interpreter.run([:])
    }
    #expect(throws: GraphError.self) {
      try interpreter.run(["x": Tensor([Float(1)], shape: [1, 1])])
    }
  }

  @Test("A fused step means what its parts mean")
  func fused() throws {
    let code = LinearCode(elementType: .uint8, scales: [0.5], zeroPoints: [10])
    let step = Fused(
      root: Binary(.multiply), rootInputCount: 2, inputCodes: [code, nil],
      stages: [.add(nil), .activation(.relu)],
      outputCode: LinearCode(elementType: .int8, scales: [0.25], zeroPoints: [-3]))
    let x = Tensor([UInt8(10), 12, 20], shape: [3])
    let y = Tensor([Float(4), -1, 2], shape: [3])
    let z = Tensor([Float(1), -9, 0.125], shape: [3])
    // (x − 10)·0.5 = 0, 1, 5; times y: 0, −1, 10; plus z: 1, −10, 10.125; relu; /0.25 − 3.
    let result = try step.evaluate([x, y, z], outputCount: 1)
    #expect(result == [Tensor([Int8(1), -3, 37], shape: [3])])
  }

  @Test("names that are taken are numbered in linear time", .timeLimit(.minutes(1)))
  func manyNames() {
    var graph = Graph()
    for _ in 0..<50_000 { _ = graph.addValue(name: "v") }
    #expect(graph.value(named: "v_49999") != nil)
    #expect(graph.uniqueName("v") == "v_50000")
    _ = graph.addValue(name: "v_50000")
    #expect(graph.uniqueName("v") == "v_50001")
  }

  @Test("an output keeps its name, and two that become one value are copied")
  func replacedOutputs() throws {
    var graph = Graph()
    let x = graph.addInput(name: "x", type: TensorType(.float32, shape: [2]))
    let a = graph.addNode(Identity(), inputs: [x], outputNames: ["a"])[0]
    let inner = graph.addNode(Unary(.relu), inputs: [x], outputNames: ["inner"])[0]
    let b = graph.addNode(Identity(), inputs: [inner], outputNames: ["b"])[0]
    for output in [a, b, b] { graph.markOutput(output) }
    var patch = GraphPatch(of: graph)
    patch.remove(graph.nodes[0])
    patch.remove(graph.nodes[2])
    patch.replace(a, with: x)
    patch.replace(b, with: inner)
    let result = try graph.applying(patch)
    #expect(result.outputs.map { result[$0].name } == ["a", "b", "b"])
    #expect(result.nodes.map(\.op.kind) == ["Relu", "Identity"])
    try Verifier.verify(result)
  }
}
