// SPDX-License-Identifier: Apache-2.0
import GraphIR
import OnnxIO
import TensorCore
import Testing

@Suite("Rounding to the levels of a table is written as a function and read as what it is")
struct RoundToLevelsTests {
  private func network(_ levels: [Float], least: [Float]) -> Graph {
    var graph = Graph(name: "levels")
    graph.metadata.opset = 9
    let x = graph.addInput(name: "x", type: TensorType(.float32, [.symbol("N"), .fixed(4)]))
    let tables = [("least", least), ("levels", levels)].map { name, numbers in
      graph.addConstant(Tensor(numbers, shape: [numbers.count]), name: name)
    }
    let y = graph.addNode(
      RoundToLevels(), name: "round", inputs: [x] + tables, outputNames: ["y"])
    graph.markOutput(y[0])
    graph.inferTypes()
    return graph
  }

  static let tables: [(levels: [Float], least: [Float])] = [
    ([7], [0]), ([-1, 1], [0, 0.25]),
    ([-1, 0, 0.5, 4, 5, 6, 9, 9], [-9, -0.5, 0.25, 1, 4.5, 5.5, 7, .infinity]),
  ]

  static let samples: [Float] = [
    -.infinity, -3, -0.5, -0.50001, 0, 0.2, 0.25, 0.9, 1, 4.6, 5.5, 6.9, 7, 8, 1e30, .infinity,
  ]

  @Test("It comes back, as the same bytes", arguments: tables.indices)
  func roundTrip(_ index: Int) throws {
    let (levels, least) = Self.tables[index]
    let bytes = try OnnxModel.serialized(network(levels, least: least))
    let again = try OnnxModel.read(bytes)
    #expect(again.nodes.count == 1 && again.nodes[0].op is RoundToLevels)
    #expect(again.metadata.opset == 13)
    #expect(try OnnxModel.serialized(again) == bytes)
    try Verifier.verify(again)
  }

  @Test("It gives the level of the last least value that is reached")
  func meaning() throws {
    let (levels, least) = Self.tables[2]
    let x = Tensor(Self.samples, shape: [4, 4])
    let found = try Interpreter(network(levels, least: least)).run(["x": x])[0].floats()
    #expect(found == [-1, -1, 0, -1, 0, 0, 0.5, 0.5, 4, 5, 6, 6, 9, 9, 9, 9])
  }

  /// The function's body, read under a name that is not ours, gives what the operator means.
  @Test("The body of the function computes the operator", arguments: tables.indices)
  func body(_ index: Int) throws {
    let (levels, least) = Self.tables[index]
    let graph = network(levels, least: least)
    var bytes = try OnnxModel.serialized(graph)
    // Same length, so that the file stays whole.
    bytes = bytes.replacing(Array("swiftlet".utf8), with: Array("elsewhat".utf8))
    let inlined = try OnnxModel.read(bytes)
    #expect(!inlined.nodes.contains { $0.op is RoundToLevels || $0.op is Opaque })
    let x = Tensor(Self.samples, shape: [4, 4])
    #expect(try Interpreter(inlined).run(["x": x]) == Interpreter(graph).run(["x": x]))
  }

  @Test("Tables of other lengths are refused")
  func lengths() {
    let graph = network([1, 2, 3], least: [0, 1, 2])
    #expect(throws: (any Error).self) { try Verifier.verify(graph) }
    #expect(throws: (any Error).self) {
      try Interpreter(graph).run(["x": Tensor([Float](repeating: 0, count: 4), shape: [1, 4])])
    }
  }
}
