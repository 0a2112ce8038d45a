// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import GraphIR
import TensorCore
import Testing

@Suite("Training program")
struct TrainingProgramTests {
  /// `total ← total + x`, and `seen = total + x` as an output.
  private func counter(initial: Float = 1) -> TrainingStep {
    var graph = Graph()
    let x = graph.addInput(name: "x", type: TensorType(.float32, shape: [2]))
    let total = graph.addInput(name: "total", type: TensorType(.float32, shape: [2]))
    let next = graph.addNode(Binary(.add), name: "add", inputs: [total, x], outputNames: ["next"])
    graph.markOutput(next[0])
    return TrainingStep(
      graph: graph,
      variables: [
        TrainingVariable(
          name: "total", input: total, output: next[0],
          initial: Tensor([initial, initial], shape: [2]))
      ])
  }

  private func pair(_ a: Float, _ b: Float) -> Tensor { Tensor([a, b], shape: [2]) }

  @Test("Variables keep what a step leaves in them")
  func variablesPersist() throws {
    let store = VariableStore()
    let program = try TrainingProgram(counter(), store: store)
    #expect(store.names == ["total"])
    #expect(try program.run(["x": pair(1, 2)])["next"] == pair(2, 3))
    #expect(try program.run(["x": pair(1, 2)])["next"] == pair(3, 5))
    #expect(store.value(of: "total") == pair(3, 5))
    #expect(store.value(of: "other") == nil)
  }

  @Test("Programs with one store share its variables, and the later one keeps their values")
  func sharedStore() throws {
    let store = VariableStore()
    let first = try TrainingProgram(counter(), store: store)
    try first.run(["x": pair(4, 4)])
    let second = try TrainingProgram(counter(initial: 9), store: store)
    #expect(try second.run(["x": pair(1, 1)])["next"] == pair(6, 6))
    #expect(try first.run(["x": pair(1, 1)])["next"] == pair(7, 7))
    try store.set(pair(0, 0), for: "total")
    #expect(try first.run(["x": pair(1, 1)])["next"] == pair(1, 1))
  }

  @Test("A variable of another shape than the store's is refused by name")
  func mismatch() throws {
    let store = VariableStore()
    try store.set(Tensor([Float(1)], shape: [1]), for: "total")
    let error = #expect(throws: CompileError.self) {
      try TrainingProgram(counter(), store: store)
    }
    #expect(error?.description.contains("total") == true)
    #expect(throws: CompileError.self) { try store.set(pair(1, 2), for: "total") }
  }

  @Test("A variable that is no input, or differs from it in type, is refused by name")
  func invalidVariables() throws {
    var step = counter()
    step.variables[0].initial = Tensor([Int64(1), 2], shape: [2])
    let wrongType = #expect(throws: CompileError.self) {
      try TrainingProgram(step, store: VariableStore())
    }
    #expect(wrongType?.description.contains("total") == true)
    step = counter()
    step.variables[0].input = step.graph.outputs[0]
    #expect(throws: CompileError.self) { try TrainingProgram(step, store: VariableStore()) }
  }

  @Test("Inputs of the wrong shape, type or name are refused by name")
  func wrongInputs() throws {
    let program = try TrainingProgram(counter(), store: VariableStore())
    #expect(program.inputs.map(\.name) == ["x"])
    #expect(throws: GraphError.missingInput(name: "x", expected: ["x"])) { try program.run([:]) }
    #expect(throws: GraphError.unknownInput(name: "total", expected: ["x"])) {
      try program.run(["x": pair(1, 1), "total": pair(1, 1)])
    }
    #expect(throws: GraphError.self) { try program.run(["x": Tensor([Float(1)], shape: [1])]) }
  }

  @Test("Variables may exchange their values")
  func exchange() throws {
    var graph = Graph()
    let a = graph.addInput(name: "a", type: TensorType(.float32, shape: [2]))
    let b = graph.addInput(name: "b", type: TensorType(.float32, shape: [2]))
    let store = VariableStore()
    let program = try TrainingProgram(
      TrainingStep(
        graph: graph,
        variables: [
          TrainingVariable(name: "a", input: a, output: b, initial: pair(1, 2)),
          TrainingVariable(name: "b", input: b, output: a, initial: pair(3, 4)),
        ]), store: store)
    try program.run([:])
    #expect(store.value(of: "a") == pair(3, 4))
    #expect(store.value(of: "b") == pair(1, 2))
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
    let error = #expect(throws: CompileError.self) {
      try TrainingProgram(TrainingStep(graph: graph, variables: []), store: VariableStore())
    }
    #expect(error?.description.contains("puzzle") == true)
  }

  @Test(
    "A batch is cut into equal shards",
    arguments: [(1, 1), (7, 1), (8, 1), (16, 2), (100, 10), (127, 1), (128, 16), (1024, 32)])
  func shards(batch: Int, count: Int) {
    let plan = ShardPlan(batch: batch)
    #expect(plan.count == count)
    #expect(plan.size * plan.count == batch)
  }

  /// Results of 144 channels at 32×32 pixels, as MobileNetV2 has them, and little weights; and the
  /// same with the weights of ResNet-18.
  @Test(
    "Shards are smaller where samples are large, unless sums over shards cost more",
    arguments: [
      (144 * 4096, 2_200_000, 32), (16 * 4096, 270_000, 16), (144 * 4096, 11_000_000, 16),
    ])
  func smallShards(greatest: Int, weights: Int, count: Int) {
    var load = ShardPlan.Load()
    load.greatestResult = greatest
    load.allResults = 12 * greatest
    load.weightGradients = 4 * weights
    #expect(ShardPlan(batch: 128, load: load).count == count)
  }

  /// Eight convolutions one after the other.
  private func chain(batch: Int) -> TrainingStep {
    var graph = Graph()
    var value = graph.addInput(name: "x", type: TensorType(.float32, shape: [batch, 8, 16, 16]))
    for layer in 0..<8 {
      let weight = graph.addConstant(
        Tensor(
          (0..<576).map { Float((Int($0) * 7 + layer) % 11 - 5) / 20 }, shape: [8, 8, 3, 3]),
        name: "w\(layer)")
      value =
        graph.addNode(
          Conv(padding: .explicit([1, 1, 1, 1])), name: "conv\(layer)", inputs: [value, weight],
          outputNames: ["y\(layer)"])[0]
    }
    graph.markOutput(value)
    return TrainingStep(graph: graph, variables: [])
  }

  @Test("What one shard hands on from task to task takes no memory for the batch")
  func shardLocals() throws {
    let sample = 8 * 16 * 16
    func run(batch: Int, threads: Int) throws -> (values: [Float], byteCount: Int) {
      let program = try TrainingProgram(
        chain(batch: batch), store: VariableStore(), options: TrainingOptions(threads: threads))
      let x = Tensor(
        (0..<batch * sample).map { Float($0 % 97) / 48 - 1 }, shape: [batch, 8, 16, 16])
      // Twice, as memory is left as the first run leaves it.
      try program.run(["x": x])
      let output = try #require(try program.run(["x": x])["y7"])
      return (output.floats(), program.arenaByteCount)
    }
    let whole = try run(batch: 64, threads: 1)
    let first = try run(batch: 8, threads: 1)
    #expect(whole.byteCount < 4 * 64 * sample * 4)
    #expect(try run(batch: 64, threads: 2).values == whole.values)
    let greatest = first.values.map(abs).max() ?? 0
    #expect(
      zip(first.values, whole.values).allSatisfy { abs($0 - $1) <= 1e-5 * greatest })
  }
}
