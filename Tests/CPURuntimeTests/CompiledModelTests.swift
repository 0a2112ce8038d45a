// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import GraphIR
import TensorCore
import Testing

@Suite("Compiled model")
struct CompiledModelTests {
  private func relu() -> Graph {
    Oracle.graph(Unary(.relu), inputs: [("x", Tensor([Float(-1), 2], shape: [2]))]).0
  }

  @Test("A model is called like a function")
  func call() throws {
    let model = try CompiledModel(relu())
    #expect(try model(Tensor([Float(-3), 4], shape: [2])) == Tensor([Float(0), 4], shape: [2]))
  }

  @Test("Inputs of the wrong shape, type or name are refused by name")
  func wrongInputs() throws {
    let model = try CompiledModel(relu())
    #expect(throws: GraphError.self) { try model.run(["x": Tensor([Float(1)], shape: [1])]) }
    #expect(throws: GraphError.self) { try model.run(["x": Tensor([Int64(1), 2], shape: [2])]) }
    #expect(throws: GraphError.missingInput(name: "x", expected: ["x"])) { try model.run([:]) }
    #expect(throws: GraphError.unknownInput(name: "z", expected: ["x"])) {
      try model.run([
        "x": Tensor([Float(1), 2], shape: [2]), "z": Tensor([Float(1), 2], shape: [2]),
      ])
    }
  }

  @Test("An unknown operator is named")
  func opaque() throws {
    var graph = Graph()
    let input = graph.addInput(name: "x", type: TensorType(.float32, shape: [2]))
    let output = graph.addNode(
      Opaque(kind: "Riddle", domain: "example", attributes: []), name: "puzzle",
      inputs: [input], outputNames: ["y"])[0]
    graph.setType(TensorType(.float32, shape: [2]), of: output)
    graph.markOutput(output)
    let error = #expect(throws: CompileError.self) { try CompiledModel(graph) }
    #expect(error?.description.contains("puzzle") == true)
    #expect(error?.description.contains("Riddle") == true)
  }

  @Test("A free input extent is an error that names the input")
  func freeExtent() {
    var graph = Graph()
    let input = graph.addInput(
      name: "image", type: TensorType(.float32, [.symbol("N"), .fixed(3)]))
    graph.markOutput(graph.addNode(Unary(.relu), inputs: [input], outputNames: ["y"])[0])
    graph.inferTypes()
    let error = #expect(throws: CompileError.self) { try CompiledModel(graph) }
    #expect(error?.description.contains("image") == true)
  }

  @Test("A node that breaks its operator's rules is named")
  func invalidNode() {
    var graph = Graph()
    let input = graph.addInput(name: "x", type: TensorType(.float32, shape: [1, 3, 8, 8]))
    let weight = graph.addConstant(Tensor(zerosOf: .float32, shape: [4, 3, 3, 3]), name: "w")
    let output = graph.addNode(
      Conv(padding: .explicit([1, 1, 1])), name: "lopsided", inputs: [input, weight],
      outputNames: ["y"])[0]
    graph.markOutput(output)
    graph.inferTypes()
    let error = #expect(throws: CompileError.self) { try CompiledModel(graph) }
    #expect(error?.description.contains("lopsided") == true)
    #expect(error?.description.contains("pads") == true)
  }

  @Test("Several threads may run one model at once")
  func concurrency() async throws {
    let model = try CompiledModel(relu(), options: CompileOptions(threads: 1))
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for index in 0..<32 {
        group.addTask {
          let value = Float(index)
          return try model(Tensor([value, -value], shape: [2]))
            == Tensor([max(value, 0), max(-value, 0)], shape: [2])
        }
      }
      for try await isRight in group { #expect(isRight) }
    }
  }

  @Test("An input that is an output comes back")
  func passThrough() throws {
    var graph = Graph()
    let input = graph.addInput(name: "x", type: TensorType(.float32, shape: [1, 2, 3, 1]))
    graph.markOutput(input)
    let tensor = Tensor((0..<6).map { Float($0) }, shape: [1, 2, 3, 1])
    #expect(try CompiledModel(graph).run(["x": tensor]) == [tensor])
  }

  @Test("A batch run in parts gives what the whole gives", arguments: [1, 2, 3, 7])
  func parts(threads: Int) throws {
    var oracle = Oracle(seed: 11)
    let weight = oracle.reals([8, 4, 3, 3])
    func graph(_ batch: Int) -> Graph {
      var graph = Graph()
      let x = graph.addInput(name: "x", type: TensorType(.float32, shape: [batch, 4, 9, 7]))
      let w = graph.addConstant(weight, name: "w")
      let y = graph.addNode(Conv(), inputs: [x, w], outputNames: ["y"])[0]
      graph.markOutput(y)
      graph.markOutput(graph.addNode(GlobalPool(.maximum), inputs: [y], outputNames: ["z"])[0])
      graph.inferTypes()
      return graph
    }
    let model = try CompiledModel(
      part: graph(2), count: 3, options: CompileOptions(threads: threads, precision: .fp32))
    #expect(model.inputs.map(\.type) == [TensorType(.float32, shape: [6, 4, 9, 7])])
    let input = oracle.reals([6, 4, 9, 7])
    let whole = try CompiledModel(
      graph(6), options: CompileOptions(threads: 1, precision: .fp32)
    ).run(["x": input])
    let found = try model.run(["x": input])
    #expect(found.map(\.shape) == [[6, 8, 7, 5], [6, 8, 1, 1]])
    for (one, other) in zip(found, whole) {
      // Sums of 36 products of numbers up to 2, in another order perhaps.
      let pairs = zip(one.floats(), other.floats())
      #expect(pairs.allSatisfy { abs($0 - $1) < 1e-4 })
    }
    #expect(try model.profile(["x": input], runs: 1).count == model.steps.count)
    #expect(try model.latencies(["x": input], runs: 2).count == 2)
    #expect(throws: GraphError.self) { try model.run(["x": oracle.reals([2, 4, 9, 7])]) }
  }
}
