// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Shape arithmetic, as exporters write it, is followed through the graph")
struct ShapeArithmeticTests {
  private func input(_ dimensions: [Dimension], in graph: inout Graph) -> ValueID {
    graph.addInput(name: "x", type: TensorType(.float32, dimensions))
  }

  /// Adds a node with constants for the inputs that are tensors.
  private func add(
    _ op: any Op, _ inputs: [Any], to graph: inout Graph
  ) throws -> ValueID {
    let ids = inputs.map { input -> ValueID? in
      if let tensor = input as? Tensor { return graph.addConstant(tensor, name: "c") }
      return input as? ValueID
    }
    return try #require(graph.addNode(op, inputs: ids, outputNames: ["y"]).first)
  }

  @Test("Shape → Gather → Unsqueeze → Concat → Reshape keeps the batch symbol")
  func flattenByView() throws {
    var graph = Graph()
    let x = input([.symbol("N"), 16, 4, 4], in: &graph)
    let shape = try add(Shape(), [x], to: &graph)
    let batch = try add(Gather(), [shape, Tensor(scalar: Int64(0))], to: &graph)
    let vector = try add(Unsqueeze(), [batch, list(0)], to: &graph)
    let target = try add(Concat(axis: 0), [vector, list(-1)], to: &graph)
    let result = try add(Reshape(), [x, target], to: &graph)
    #expect(graph.inferTypes().isEmpty)
    #expect(graph[result].type?.description == "float32 N×256")
  }

  @Test("ShuffleNet's view by divided channels is known with a symbolic batch")
  func channelShuffle() throws {
    var graph = Graph()
    let x = input([.symbol("N"), 116, 28, 28], in: &graph)
    let shape = try add(Shape(), [x], to: &graph)
    func extent(_ axis: Int64) throws -> ValueID {
      try add(Gather(), [shape, Tensor(scalar: axis)], to: &graph)
    }
    let half = try add(
      Binary(.divide), [try extent(1), Tensor(scalar: Int64(2))], to: &graph)
    let parts = try [try extent(0), half, try extent(2), try extent(3)].map {
      try add(Unsqueeze(), [$0, list(0)], to: &graph)
    }
    let target = try add(
      Concat(axis: 0), [parts[0], list(2), parts[1], parts[2], parts[3]], to: &graph)
    let view = try add(Reshape(), [x, target], to: &graph)
    let turned = try add(Transpose(permutation: [0, 2, 1, 3, 4]), [view], to: &graph)
    let back = try add(
      Concat(axis: 0), [parts[0], list(-1), parts[2], parts[3]], to: &graph)
    let result = try add(Reshape(), [turned, back], to: &graph)
    #expect(graph.inferTypes().isEmpty)
    #expect(graph[view].type?.description == "float32 N×2×58×28×28")
    #expect(graph[result].type?.description == "float32 N×116×28×28")
  }

  @Test("Shape → Slice → Concat → Expand, with the comparison against -1 in between")
  func expand() throws {
    var graph = Graph()
    let x = input([.symbol("N"), 1, 8], in: &graph)
    let shape = try add(Shape(), [x], to: &graph)
    let batch = try add(Slice(), [shape, list(0), list(1), list(0)], to: &graph)
    let target = try add(Concat(axis: 0), [batch, list(5, -1)], to: &graph)
    let one = Tensor([Int64(1)], shape: [1])
    let ones = try add(ConstantOfShape(value: one), [list(3)], to: &graph)
    let minus = try add(Binary(.multiply), [ones, Tensor(scalar: Int64(-1))], to: &graph)
    let isOpen = try add(Binary(.equal), [target, minus], to: &graph)
    let chosen = try add(Where(), [isOpen, ones, target], to: &graph)
    let result = try add(Expand(), [x, chosen], to: &graph)
    #expect(graph.inferTypes().isEmpty)
    #expect(graph[result].type?.description == "float32 N×5×8")
  }

  @Test("A size scaled in floating point and floored is known")
  func floatingPoint() throws {
    var graph = Graph()
    let x = input([.symbol("N"), 3, 7, 9], in: &graph)
    let shape = try add(Shape(start: 2), [x], to: &graph)
    let real = try add(Cast(to: .float32), [shape], to: &graph)
    let scaled = try add(Binary(.multiply), [real, Tensor(scalar: Float(2))], to: &graph)
    let floored = try add(Unary(.floor), [scaled], to: &graph)
    let size = try add(Cast(to: .int64), [floored], to: &graph)
    let result = try add(ConstantOfShape(), [size], to: &graph)
    #expect(graph.inferTypes().isEmpty)
    #expect(graph[result].type?.description == "float32 14×18")
  }

  @Test("The pads that PyTorch turns round in pairs are known")
  func pads() throws {
    var graph = Graph()
    let x = input([.symbol("N"), 3, 8, 8], in: &graph)
    let one = Tensor([Int64(0)], shape: [1])
    let rest = try add(ConstantOfShape(value: one), [list(4)], to: &graph)
    let all = try add(Concat(axis: 0), [list(1, 2, 3, 4), rest], to: &graph)
    let pairs = try add(Reshape(), [all, list(-1, 2)], to: &graph)
    let turned = try add(
      Slice(), [pairs, list(-1), list(.min + 1), list(0), list(-1)], to: &graph)
    let sides = try add(Transpose(permutation: [1, 0]), [turned], to: &graph)
    let flat = try add(Reshape(), [sides, list(-1)], to: &graph)
    let pads = try add(Cast(to: .int64), [flat], to: &graph)
    let result = try add(Pad(), [x, pads], to: &graph)
    #expect(graph.inferTypes().isEmpty)
    #expect(graph[result].type?.description == "float32 N×3×15×11")
  }

  @Test("Numbers that a type wraps or rounds are not taken for known")
  func wrapping() {
    let large = Operand(Tensor([UInt8(200)], shape: [1]))
    #expect(Binary(.add).inferContents([large, large]) == [.unknown])
    #expect(Cast(to: .int8).inferContents([large]) == [.unknown])
    #expect(Cast(to: .float16).inferContents([Operand(list(2049))]) == [.unknown])
    let seven = Operand(list(7))
    #expect(Binary(.modulo(isFmod: false)).inferContents([seven, Operand(list(4))]) == [3])
  }

  @Test("Quotients that are no integers are not taken for known")
  func inexactQuotient() {
    let seven = Operand(type: TensorType(.float32, []), contents: [.fixed(7)])
    let two = Operand(type: TensorType(.float32, []), contents: [.fixed(2)])
    #expect(Binary(.divide).inferContents([seven, two]) == [.unknown])
    let count = Operand(type: TensorType(.int64, []), contents: [.fixed(7)])
    let half = Operand(Tensor(scalar: Int64(2)))
    #expect(Binary(.divide).inferContents([count, half]) == [.fixed(3)])
  }

  @Test("Arithmetic on extents knows symbols beside 0 and 1, and never overflows")
  func dimensions() {
    let n = Dimension.symbol("N")
    #expect(n + .fixed(0) == n && n - n == .fixed(0) && n * .fixed(1) == n && n / .fixed(1) == n)
    #expect(n * .fixed(2) == .unknown && n * .fixed(0) == .fixed(0))
    #expect(.fixed(.max) + .fixed(1) == Dimension.unknown)
    #expect(.fixed(.max) * .fixed(2) == Dimension.unknown)
    #expect(.fixed(.min) / .fixed(-1) == Dimension.unknown && n / .fixed(0) == .unknown)
  }
}
