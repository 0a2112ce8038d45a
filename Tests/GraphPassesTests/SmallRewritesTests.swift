// SPDX-License-Identifier: Apache-2.0
import GraphIR
import GraphPasses
import TensorCore
import Testing

@Suite("Use of stored statistics") struct UseStoredStatisticsTests {
  private func normalized(outputs: [String], result: [Int]) -> Graph {
    Graph.made { graph in
      let x = graph.input([2, 3, 4, 4])
      let values = graph.addNode(
        BatchNormalization(trainingMode: true),
        inputs: [
          x, graph.positive(3, seed: 1), graph.random([3], seed: 2), graph.random([3], seed: 3),
          graph.positive(3, seed: 4),
        ], outputNames: outputs)
      return result.map { values[$0] }
    }
  }

  @Test("turns training mode off")
  func replaced() throws {
    let graph = normalized(outputs: ["y", "mean", "variance"], result: [0])
    let result = try PassPipeline(UseStoredStatistics()).run(graph).graph
    let op = try #require(result.nodes.first?.op as? BatchNormalization)
    #expect(!op.trainingMode)
    #expect(result.nodes[0].outputs.count == 1)
  }

  @Test("leaves a batch norm whose new statistics are asked for")
  func asked() throws {
    let graph = normalized(outputs: ["y", "mean", "variance"], result: [0, 1, 2])
    let result = try PassPipeline(UseStoredStatistics()).run(graph).graph
    #expect((result.nodes.first?.op as? BatchNormalization)?.trainingMode == true)
  }
}

@Suite("Dropping of unused outputs") struct DropUnusedOutputsTests {
  @Test("drops indices that nothing uses, and only those", arguments: [false, true])
  func indices(areUsed: Bool) throws {
    let graph = Graph.made { graph in
      let values = graph.addNode(
        MaxPool(window: PoolingWindow(kernel: [2, 2])), inputs: [graph.input([1, 2, 4, 4])],
        outputNames: ["y", "indices"])
      return areUsed ? values : [values[0]]
    }
    let result = try rewritten(graph, by: DropUnusedOutputs(), tolerance: 0)
    #expect(result.nodes[0].outputs.count == (areUsed ? 2 : 1))
  }
}

@Suite("Merging of slices") struct MergeSlicesTests {
  private func sliced(axes: [Int64], shares: Bool = false) -> Graph {
    Graph.made { graph in
      var x = graph.input([2, 3, 8, 9])
      var values: [ValueID] = []
      for axis in axes {
        x = graph.node(
          Slice(), x, graph.integers([1]), graph.integers([.max]), graph.integers([axis]),
          graph.integers([2]))
        values.append(x)
      }
      return shares ? values : [x]
    }
  }

  @Test("joins slices along different axes")
  func joins() throws {
    let result = try rewritten(sliced(axes: [2, -1, 1]), by: MergeSlices(), tolerance: 0)
    #expect(result.kinds == ["Slice"])
  }

  @Test("leaves slices along one axis, and a slice that is used twice")
  func leaves() throws {
    for graph in [sliced(axes: [3, -1]), sliced(axes: [2, 3], shares: true)] {
      #expect(try rewritten(graph, by: MergeSlices(), tolerance: 0).kinds == graph.kinds)
    }
  }
}

@Suite("Recognition of leaky ReLU") struct RecognizeLeakyReluTests {
  @Test("sees it in a PRelu with one slope only", arguments: [[1], [3, 1, 1]])
  func slopes(_ shape: [Int]) throws {
    let graph = Graph.made { graph in
      [graph.node(Binary(.prelu), graph.input([2, 3, 4, 4]), graph.random(shape, seed: 1))]
    }
    let result = try rewritten(graph, by: RecognizeLeakyRelu())
    #expect(result.kinds == [shape == [1] ? "LeakyRelu" : "PRelu"])
  }
}

@Suite("Flattening of products") struct FlattenProductTests {
  @Test("reshapes before the product, so that a batch norm can be folded")
  func flattens() throws {
    let graph = Graph.made { graph in
      let product = graph.node(MatMul(), graph.input([2, 5, 4]), graph.random([4, 6], seed: 1))
      let rows = graph.node(Flatten(axis: 2), product)
      return [graph.normalization(rows, channels: 6, seed: 3)]
    }
    let result = try rewritten(graph, by: FlattenProduct(), FoldBatchNormalization())
    #expect(result.kinds == ["Reshape", "Gemm"])
  }

  @Test("leaves a reshape that cuts rows")
  func leaves() throws {
    let graph = Graph.made { graph in
      let product = graph.node(MatMul(), graph.input([2, 5, 4]), graph.random([4, 6], seed: 1))
      return [graph.node(Reshape(), product, graph.integers([-1, 3]))]
    }
    #expect(try rewritten(graph, by: FlattenProduct()).kinds == graph.kinds)
  }
}

@Suite("Forward folding of scales") struct FoldScaleForwardTests {
  @Test("folds a factor per channel into a padded convolution", arguments: [1, 2])
  func convolution(group: Int) throws {
    let graph = Graph.made { graph in
      let x = graph.node(
        Binary(.multiply), graph.random([4, 1, 1], seed: 2, "scale"), graph.input([2, 4, 5, 5]))
      let op = Conv(padding: .explicit([1, 1, 1, 1]), group: group)
      return [graph.node(op, x, graph.random([6, 4 / group, 3, 3], seed: 1))]
    }
    let result = try rewritten(graph, by: FoldScaleForward())
    #expect(result.kinds == ["Conv"])
    #expect(result.nodes[0].inputs.count == 2)
  }

  @Test("leaves a shift, and a scale that another node uses")
  func leaves() throws {
    let shift = Graph.made { graph in
      let x = graph.node(Binary(.add), graph.input([1, 2, 4, 4]), graph.scalar(1))
      return [graph.node(Conv(), x, graph.random([2, 2, 1, 1], seed: 1))]
    }
    let shared = Graph.made { graph in
      let x = graph.node(Binary(.multiply), graph.input([1, 2, 4, 4]), graph.scalar(2))
      return [graph.node(Conv(), x, graph.random([2, 2, 1, 1], seed: 1)), x]
    }
    for graph in [shift, shared] {
      #expect(try rewritten(graph, by: FoldScaleForward()).kinds == graph.kinds)
    }
  }
}
