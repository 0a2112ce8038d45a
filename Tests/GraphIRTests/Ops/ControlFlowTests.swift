// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Operators that hold graphs run them")
struct ControlFlowTests {
  private static let vector = TensorType(.float32, [.unknown])
  private static let number = TensorType(.float32, [])

  private func body(
    _ types: [TensorType?], _ build: (inout Graph, [ValueID]) -> [ValueID]
  ) -> Subgraph {
    var graph = Graph(name: "body")
    let inputs = types.enumerated().map { graph.addInput(name: "in\($0)", type: $1) }
    graph.setOutputs(build(&graph, inputs))
    return Subgraph(graph)
  }

  private func unary(_ function: Unary.Function) -> Subgraph {
    body([Self.vector]) { graph, inputs in
      graph.addNode(Unary(function), inputs: [inputs[0]], outputNames: ["out"])
    }
  }

  private func condition(_ value: Bool) -> Tensor {
    Tensor(scalar: UInt8(value ? 1 : 0)).converted(to: .bool)
  }

  @Test("If runs the branch of its condition")
  func branches() throws {
    let op = If(then: unary(.negate), else: unary(.abs))
    let x = floats([-1, 2])
    #expect(try op.evaluate([condition(true), x], outputCount: 1) == [floats([1, -2])])
    #expect(try op.evaluate([condition(false), x], outputCount: 1) == [floats([1, 2])])
    let type = try op.type(
      Operand(type: TensorType(.bool, [])), operand(.float32, .symbol("N")))
    #expect(type == TensorType(.float32, [.symbol("N")]))
    #expect(throws: OpError.self) { try op.evaluate([x, x], outputCount: 1) }
    #expect(throws: OpError.self) { try op.evaluate([condition(true)], outputCount: 1) }
  }

  @Test("Branches of different shapes agree only on the element type")
  func differingBranches() throws {
    let flat = body([Self.vector]) { graph, inputs in
      let axes = graph.addConstant(list(0), name: "axes")
      return graph.addNode(Unsqueeze(), inputs: [inputs[0], axes], outputNames: ["out"])
    }
    let op = If(then: flat, else: unary(.abs))
    let unknown = Operand(type: TensorType(.bool, []))
    #expect(try op.type(unknown, operand(.float32, 3)) == TensorType(.float32, nil))
    #expect(
      try op.type(Operand(condition(true)), operand(.float32, 3))
        == TensorType(.float32, [1, 3]))
  }

  /// Doubles a number while it is below 100; gathers the numbers.
  private var doubling: Loop {
    let body = body([TensorType(.int64, []), TensorType(.bool, []), Self.number, Self.number]) {
      graph, inputs in
      let next = graph.addNode(
        Binary(.multiply), inputs: [inputs[2], inputs[3]], outputNames: ["next"])[0]
      let limit = graph.addConstant(Tensor(scalar: Float(100)), name: "limit")
      let goesOn = graph.addNode(Binary(.less), inputs: [next, limit], outputNames: ["on"])[0]
      return [goesOn, next, next]
    }
    return Loop(body: body, carriedCount: 1)
  }

  @Test("Loop carries values until its count or its condition ends it")
  func loop() throws {
    let (one, two) = (Tensor(scalar: Float(1)), Tensor(scalar: Float(2)))
    let bounded = try doubling.evaluate(
      [Tensor(scalar: Int64(3)), nil, one, two], outputCount: 2)
    #expect(bounded == [Tensor(scalar: Float(8)), floats([2, 4, 8])])
    let open = try doubling.evaluate([nil, nil, one, two], outputCount: 2)
    #expect(open[0] == Tensor(scalar: Float(128)) && open[1].count == 7)
    let never = try doubling.evaluate([nil, condition(false), one, two], outputCount: 2)
    #expect(never == [one, floats([], [0])])
    let types = try doubling.inferTypes(
      [nil, nil, Operand(type: Self.number), Operand(type: Self.number)], outputCount: 2)
    #expect(types == [Self.number, TensorType(.float32, [.unknown])])
    #expect(throws: OpError.self) { try doubling.evaluate([nil, nil, one], outputCount: 1) }
  }

  @Test("A carried value that grows has no shape")
  func growing() throws {
    let body = body([TensorType(.int64, []), TensorType(.bool, []), Self.vector]) {
      graph, inputs in
      let longer = graph.addNode(
        Concat(axis: 0), inputs: [inputs[2], inputs[2]], outputNames: ["longer"])
      return [inputs[1]] + longer
    }
    let op = Loop(body: body, carriedCount: 1)
    let types = try op.inferTypes([nil, nil, operand(.float32, 2)], outputCount: 1)
    #expect(types == [TensorType(.float32, [.unknown])])
    let result = try op.evaluate([Tensor(scalar: Int64(2)), nil, floats([7])], outputCount: 1)
    #expect(result == [floats([7, 7, 7, 7])])
  }

  @Test("Scan walks slices along any axis, in both directions")
  func scan() throws {
    let body = body([Self.number, Self.number]) { graph, inputs in
      let sum = graph.addNode(
        Binary(.add), inputs: [inputs[0], inputs[1]], outputNames: ["sum"])[0]
      let copy = graph.addNode(Identity(), inputs: [sum], outputNames: ["copy"])[0]
      return [sum, copy]
    }
    let zero = Tensor(scalar: Float(0))
    let forward = Scan(
      body: body, stateCount: 1, inputAxes: [0], reversesInputs: [false], outputAxes: [0],
      reversesOutputs: [false])
    #expect(
      try forward.results([zero, floats([1, 2, 3])], count: 2)
        == [Tensor(scalar: Float(6)), floats([1, 3, 6])])
    let backward = Scan(
      body: body, stateCount: 1, inputAxes: [-1], reversesInputs: [true], outputAxes: [-1],
      reversesOutputs: [true])
    #expect(
      try backward.results([zero, floats([1, 2, 3])], count: 2)
        == [Tensor(scalar: Float(6)), floats([6, 5, 3])])
    #expect(throws: OpError.self) { try forward.result(zero) }
    #expect(throws: OpError.self) {
      try backward.results([zero, Tensor(scalar: Float(1))], count: 2)
    }
  }

  @Test("Subgraphs are equal whatever their names")
  func equality() {
    #expect(unary(.abs) == unary(.abs))
    #expect(unary(.abs) != unary(.negate))
    let op = If(then: unary(.abs), else: unary(.negate))
    #expect(op == op && op.isPure && !doubling.isPure)
  }
}
