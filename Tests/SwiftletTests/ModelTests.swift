// SPDX-License-Identifier: Apache-2.0
import Foundation
import Swiftlet
import TestSupport
import Testing

@Suite("Networks are read, prepared and compiled in one step")
struct ModelTests {
  private let graph = SmallNetwork.classifier()

  private func input(_ batch: Int) -> Tensor {
    RandomInputs.tensors(
      for: [("input", TensorType(.float32, shape: [batch, 3, 8, 8]))], seed: 7)["input"]
      ?? Tensor(zerosOf: .float32, shape: [])
  }

  private func isNear(_ a: Tensor, _ b: Tensor) -> Bool {
    // Sums of 27 and 64 products in another order: some ulp of values near 1.
    a.shape == b.shape && zip(a.floats(), b.floats()).allSatisfy { abs($0 - $1) < 1e-5 }
  }

  @Test("A file gives the outputs of the reference interpreter")
  func contentsOf() throws {
    let folder = try ScratchFolder()
    let url = URL(fileURLWithPath: folder.file("small.onnx"))
    try OnnxModel.write(graph, to: url)
    let model = try CompiledModel(contentsOf: url, batch: 2)
    let expected = try Interpreter(graph).run(["input": input(2)])
    #expect(isNear(try model(input(2)), expected[0]))
  }

  @Test("8-bit integers cannot be asked of a float network")
  func notQuantized() throws {
    #expect(throws: CompileError.notQuantized) {
      try CompiledModel(portable: graph, options: CompileOptions(precision: .int8))
    }
    #expect(throws: CompileError.notQuantized) {
      try BatchedModel(portable: graph, options: CompileOptions(precision: .int8))
    }
    #expect(!graph.isQuantized)
    #expect(graph.naturalPrecision == .fp32)
  }

  @Test("Batches of any size run, each as the reference does", arguments: [1, 2, 3, 5, 8, 1])
  func anyBatch(size: Int) throws {
    let model = try BatchedModel(portable: try graph.portable())
    let expected = try Interpreter(graph).run(["input": input(size)])
    #expect(isNear(try model.run(["input": input(size)])[0], expected[0]))
  }

  @Test("Shapes that depend on data run on the reference operators")
  func dataDependent() throws {
    var graph = Graph(name: "reshape", metadata: GraphMetadata(opset: 17))
    let x = graph.addInput(name: "x", type: TensorType(.float32, shape: [6]))
    let shape = graph.addInput(name: "shape", type: TensorType(.int64, shape: [2]))
    let y = graph.addNode(
      Reshape(), name: "reshape", inputs: [x, shape], outputNames: ["y"])
    y.forEach { graph.markOutput($0) }
    let values = Tensor((0..<6).map { Float($0) }, shape: [6])
    let result = try BatchedModel(portable: graph).run([
      "x": values, "shape": Tensor([Int64(3), -1], shape: [2]),
    ])
    #expect(result.map(\.shape) == [[3, 2]])
  }

  @Test("Inputs of the wrong shape are refused by name")
  func wrongInput() throws {
    let model = try BatchedModel(portable: graph)
    #expect(throws: GraphError.self) {
      try model.run(["input": Tensor(zerosOf: .float32, shape: [1, 3, 9, 8])])
    }
    #expect(throws: GraphError.missingInput(name: "input", expected: ["input"])) {
      try model.run([:])
    }
  }

  @Test("A written network is read back and gives the same outputs")
  func written() throws {
    let folder = try ScratchFolder()
    let written = try WrittenNetwork(
      try graph.portable(), to: URL(fileURLWithPath: folder.file("small.onnx")))
    #expect(written.greatestDifference == 0)
    #expect(written.opset == 17)
  }
}
