// SPDX-License-Identifier: Apache-2.0
import GraphIR
import GraphPasses
import TensorCore
import Testing

@Suite("Folding of shape arithmetic") struct FoldShapesTests {
  /// Reshape to the shape [x₀, 2, x₁ / 2] that nodes compute.
  private func shuffle(batch: Dimension) -> Graph {
    Graph.made { graph in
      let x = graph.addInput(name: "x", type: TensorType(.float32, [batch, .fixed(6)]))
      let shape = graph.node(Shape(), x)
      let zero = graph.addConstant(Tensor(scalar: Int64(0)), name: "zero")
      let one = graph.addConstant(Tensor(scalar: Int64(1)), name: "one")
      let two = graph.addConstant(Tensor(scalar: Int64(2)), name: "two")
      let axes = graph.integers([0], "axes")
      let n = graph.node(
        Unsqueeze(), graph.node(Gather(), shape, zero, name: "n"), axes, name: "n1")
      let c = graph.node(Gather(), shape, one, name: "channels")
      let half = graph.node(
        Unsqueeze(), graph.node(Binary(.divide), c, two, name: "half"), axes, name: "half1")
      let target = graph.node(Concat(axis: 0), n, graph.integers([2]), half, name: "target")
      return [graph.node(Reshape(), x, target, name: "y")]
    }
  }

  @Test("turns the whole chain into a constant where the shape is known")
  func fixed() throws {
    let result = try rewritten(
      shuffle(batch: .fixed(4)), by: FoldShapes(), DropDeadNodes(), tolerance: 0)
    #expect(result.kinds == ["Reshape"])
    #expect(result.constant(result.nodes[0].inputs[1])?.integers() == [4, 2, 3])
  }

  @Test("copies a symbolic extent of the input")
  func symbolic() throws {
    let result = try rewritten(
      shuffle(batch: .symbol("N")), by: FoldShapes(), DropDeadNodes(), tolerance: 0)
    #expect(result.kinds == ["Reshape"])
    #expect(result.constant(result.nodes[0].inputs[1])?.integers() == [0, 2, 3])
  }

  @Test("infers the one extent that is unknown")
  func inferred() {
    let reshape = FoldShapesTests.target([.unknown, .fixed(8)], given: [.symbol("N"), .fixed(4)])
    #expect(reshape == [-1, 8])
  }

  @Test("gives up where two extents are unknown")
  func twoUnknown() {
    #expect(FoldShapesTests.target([.unknown, .unknown], given: [.symbol("N"), .fixed(4)]) == nil)
  }

  @Test("does not copy an extent where 0 means zero")
  func zeroMeansZero() throws {
    let dimensions: [Dimension] = [.symbol("N"), .symbol("M")]
    #expect(FoldShapes.reshapeTarget(dimensions, given: dimensions, allowsZero: true) == nil)
    #expect(FoldShapes.reshapeTarget(dimensions, given: dimensions, allowsZero: false) == [0, 0])
  }

  @Test("lets Expand keep an extent that the input has already")
  func expand() {
    let given: [Dimension] = [.symbol("N"), .fixed(1)]
    #expect(FoldShapes.expandTarget([.symbol("N"), .fixed(5)], given: given) == [1, 5])
    #expect(FoldShapes.expandTarget([.symbol("M"), .fixed(5)], given: given) == nil)
  }

  private static func target(_ contents: [Dimension], given: [Dimension]) -> [Int64]? {
    FoldShapes.reshapeTarget(contents, given: given, allowsZero: false)
  }
}
