// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import Distillation
import GraphIR
import TensorCore
import Testing

@Suite("Feature maps of a network")
struct FeatureMapsTests {
  /// Two stages of one residual block each, then global pooling.
  private func maps() throws -> FeatureMaps {
    let graph = ResidualPair.network(width: 4, batch: .fixed(2))
    return FeatureMaps(of: graph, from: graph.inputs[0], to: graph.outputs[0])
  }

  @Test("A stage ends where everything passes before the size changes, not inside a block")
  func stages() throws {
    let maps = try maps()
    #expect(maps.stages.map(\.name) == ["block0.out", "block1.out"])
    #expect(maps.stages.map(\.shape) == [[4, 8, 8], [8, 4, 4]])
    #expect(maps.all.contains { $0.name == "block1.first" })
    #expect(!maps.all.contains { $0.name == "flat" })
  }

  @Test("Selectors: stages, last, middle, names, pattern")
  func selectors() throws {
    let maps = try maps()
    func names(_ text: String) throws -> [String] {
      try TapSelector(text).chosen(from: maps, of: "student").map(\.name)
    }
    #expect(try names("stages") == ["block0.out", "block1.out"])
    #expect(try names("last") == ["block1.out"])
    #expect(try names("middle") == ["block0.out"])
    #expect(try names("block1.out+stem.relu") == ["block1.out", "stem.relu"])
    #expect(try names("/out$/") == ["block0.out", "block1.out"])
  }

  @Test("Errors name the tap, the network and what is there")
  func errors() throws {
    let maps = try maps()
    let unknown = #expect(throws: DistillationError.self) {
      try TapSelector("block7.out").chosen(from: maps, of: "teacher")
    }
    let words = unknown.map { "\($0)" } ?? ""
    #expect(words.contains("block7.out"))
    #expect(words.contains("teacher"))
    #expect(words.contains("block1.out"))
    #expect(throws: DistillationError.self) {
      try TapSelector("/nothing/").chosen(from: maps, of: "student")
    }
    #expect(throws: CompressionError.self) { try TapSelector("/(/") }
    let product = Self.product()
    let none = FeatureMaps(of: product, from: product.inputs[0], to: product.outputs[0])
    #expect(throws: DistillationError.noStages(network: "student", known: [])) {
      try TapSelector.stages.chosen(from: none, of: "student")
    }
  }

  private static func product() -> Graph {
    var graph = Graph(name: "product")
    let x = graph.addInput(name: "x", type: TensorType(.float32, shape: [2, 3]))
    let w = graph.addConstant(drawn([3, 3], seed: 1), name: "w")
    graph.setOutputs(
      graph.addNode(Gemm(), name: "fc", inputs: [x, w], outputNames: ["y"]))
    graph.inferTypes()
    return graph
  }
}
