// SPDX-License-Identifier: Apache-2.0
import GraphIR
import GraphPasses
import TensorCore
import Testing

@Suite("Merging of transposes") struct MergeTransposesTests {
  @Test("makes one permutation of two")
  func merges() throws {
    let graph = Graph.made { graph in
      let x = graph.input([2, 3, 4, 5])
      let first = graph.node(Transpose(permutation: [0, 2, 3, 1]), x)
      return [graph.node(Transpose(permutation: [1, 3, 0, 2]), first)]
    }
    #expect(try rewritten(graph, by: MergeTransposes(), tolerance: 0).kinds == ["Transpose"])
  }

  @Test("leaves nothing of two that undo each other")
  func cancels() throws {
    let graph = Graph.made { graph in
      let x = graph.node(Unary(.abs), graph.input([2, 3, 4]))
      let first = graph.node(Transpose(permutation: [2, 0, 1]), x)
      return [graph.node(Transpose(permutation: [1, 2, 0]), first)]
    }
    let result = try rewritten(graph, by: MergeTransposes(), DropIdentities(), tolerance: 0)
    #expect(result.kinds == ["Abs"])
  }
}

@Suite("Merging of reshapes") struct MergeReshapesTests {
  @Test("lets the second read the input of the first")
  func merges() throws {
    let graph = Graph.made { graph in
      let x = graph.input([2, 3, 4])
      let first = graph.node(Reshape(), x, graph.integers([6, 4]))
      return [graph.node(Reshape(), first, graph.integers([0, 2, -1]))]
    }
    #expect(try rewritten(graph, by: MergeReshapes(), tolerance: 0).kinds == ["Reshape"])
  }

  @Test("removes a Squeeze that undoes an Unsqueeze")
  func cancels() throws {
    let graph = Graph.made { graph in
      let x = graph.node(Unary(.abs), graph.input([2, 3]))
      let first = graph.node(Unsqueeze(), x, graph.integers([1]))
      return [graph.node(Squeeze(), first, graph.integers([1]))]
    }
    #expect(try rewritten(graph, by: MergeReshapes(), tolerance: 0).kinds == ["Abs"])
  }

  @Test("keeps a symbolic batch where it stands first")
  func symbolic() throws {
    let graph = Graph.made { graph in
      let x = graph.addInput(
        name: "x", type: TensorType(.float32, [.symbol("N"), .fixed(4), .fixed(1), .fixed(1)]))
      let first = graph.node(Flatten(), x)
      return [graph.node(Reshape(), first, graph.integers([0, 2, 2]))]
    }
    let result = try rewritten(graph, by: MergeReshapes(), tolerance: 0)
    #expect(result.kinds == ["Reshape"])
    #expect(result.constant(result.nodes[0].inputs[1])?.integers() == [0, 2, 2])
  }
}

@Suite("Merging of pads") struct MergePadTests {
  private func padded(
    _ pads: [Int64], value: Float?, then op: any Op, weight: [Int]?, isRectified: Bool = false
  ) -> Graph {
    Graph.made { graph in
      var x = graph.input([1, 2, 5, 5])
      if isRectified { x = graph.node(Unary(.relu), x) }
      let axes = graph.integers(pads, "pads")
      let pad =
        value.map { graph.node(Pad(), x, axes, graph.scalar($0)) } ?? graph.node(Pad(), x, axes)
      let weight = weight.map { graph.random($0, seed: 1) }
      return [weight.map { graph.node(op, pad, $0) } ?? graph.node(op, pad)]
    }
  }

  static let spatial: [Int64] = [0, 0, 1, 0, 0, 0, 1, 2]

  @Test("moves zeros into a convolution, on top of its own")
  func convolution() throws {
    let graph = padded(
      Self.spatial, value: nil, then: Conv(padding: .explicit([0, 1, 0, 1])), weight: [3, 2, 3, 3])
    let result = try rewritten(graph, by: MergePad(), tolerance: 0)
    #expect(result.kinds == ["Conv"])
    #expect((result.nodes[0].op as? Conv)?.padding == .explicit([1, 1, 1, 3]))
  }

  @Test("moves −∞ into a maximum, and zeros where nothing is negative")
  func maximum() throws {
    let pool = MaxPool(window: PoolingWindow(kernel: [3, 3], strides: [2, 2]))
    let least = padded(Self.spatial, value: -.infinity, then: pool, weight: nil)
    #expect(try rewritten(least, by: MergePad(), tolerance: 0).kinds == ["MaxPool"])
    let zeros = padded(Self.spatial, value: 0, then: pool, weight: nil, isRectified: true)
    #expect(try rewritten(zeros, by: MergePad(), tolerance: 0).kinds == ["Relu", "MaxPool"])
  }

  @Test("moves zeros into a mean, which counts them then")
  func mean() throws {
    let pool = AveragePool(window: PoolingWindow(kernel: [3, 3], strides: [2, 2]))
    let graph = padded(Self.spatial, value: 0, then: pool, weight: nil)
    #expect(try rewritten(graph, by: MergePad()).kinds == ["AveragePool"])
  }

  @Test("leaves pads that the operator cannot do")
  func leaves() throws {
    let conv = Conv()
    let pool = MaxPool(window: PoolingWindow(kernel: [3, 3]))
    let rounded = AveragePool(
      window: PoolingWindow(kernel: [3, 3], strides: [2, 2], ceilMode: true))
    let graphs = [
      padded(Self.spatial, value: 1, then: conv, weight: [3, 2, 3, 3]),
      padded([0, 1, 0, 0, 0, 0, 0, 0], value: 0, then: conv, weight: [3, 3, 3, 3]),
      padded([0, 0, -1, 0, 0, 0, 0, 0], value: 0, then: conv, weight: [3, 2, 3, 3]),
      padded(
        Self.spatial, value: 0, then: Conv(padding: .sameUpper), weight: [3, 2, 3, 3]),
      padded(Self.spatial, value: 0, then: pool, weight: nil),
      padded([0, 0, 3, 0, 0, 0, 0, 0], value: -.infinity, then: pool, weight: nil),
      padded(Self.spatial, value: 0, then: rounded, weight: nil),
    ]
    for graph in graphs {
      #expect(try PassPipeline(MergePad()).run(graph).graph.kinds == graph.kinds)
    }
  }
}

@Suite("Recognition of global pooling") struct RecognizeGlobalPoolingTests {
  @Test("sees it in means and maxima over the whole map, with and without the axes")
  func recognizes() throws {
    let window = PoolingWindow(kernel: [4, 3], strides: [2, 2])
    let cases: [(@Sendable (inout Graph, ValueID) -> ValueID, [String])] = [
      ({ $0.node(AveragePool(window: window), $1) }, ["GlobalAveragePool"]),
      ({ $0.node(MaxPool(window: window), $1) }, ["GlobalMaxPool"]),
      ({ $0.node(Reduce(.mean), $1, $0.integers([-1, 2])) }, ["GlobalAveragePool"]),
      (
        { $0.node(Reduce(.maximum, keepsDimensions: false), $1, $0.integers([2, 3])) },
        ["GlobalMaxPool", "Flatten"]
      ),
    ]
    for (make, expected) in cases {
      let graph = Graph.made { graph in
        let x = graph.input([2, 3, 4, 3])
        return [make(&graph, x)]
      }
      #expect(try rewritten(graph, by: RecognizeGlobalPooling()).kinds == expected)
    }
  }

  @Test("leaves what covers less or more")
  func leaves() throws {
    let cases: [@Sendable (inout Graph, ValueID) -> ValueID] = [
      { $0.node(AveragePool(window: PoolingWindow(kernel: [4, 2])), $1) },
      { $0.node(Reduce(.mean), $1, $0.integers([1, 2, 3])) },
      { $0.node(Reduce(.mean), $1, $0.integers([3])) },
      { $0.node(Reduce(.sum), $1, $0.integers([2, 3])) },
    ]
    for make in cases {
      let graph = Graph.made { graph in
        let x = graph.input([2, 3, 4, 3])
        return [make(&graph, x)]
      }
      #expect(try rewritten(graph, by: RecognizeGlobalPooling()).kinds == graph.kinds)
    }
  }
}
