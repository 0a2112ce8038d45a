// SPDX-License-Identifier: Apache-2.0
import DataIO
import GraphIR
import Swiftlet
import TensorCore
import TestSupport
import Testing

@Suite("Calibration from arrays")
struct ArrayCalibrationTests {
  private func graph(batch: Dimension = .symbol("N")) -> Graph {
    var graph = Graph()
    let a = graph.addInput(name: "a", type: TensorType(.float32, [batch, .fixed(2)]))
    let b = graph.addInput(name: "b", type: TensorType(.int64, [batch, .symbol("S")]))
    let cast = graph.addNode(Cast(to: .float32), inputs: [b], outputNames: ["c"])[0]
    graph.markOutput(graph.addNode(Binary(.add), inputs: [a, cast], outputNames: ["y"])[0])
    return graph
  }

  private func archive(_ folder: ScratchFolder, rows: Int = 5, named: String = "b") throws -> String
  {
    let path = folder.file("inputs.npz")
    let a = Tensor((0..<10).map { Float($0) }, shape: [5, 2])
    let b = Tensor((0..<(rows * 2)).map { Int64($0) }, shape: [rows, 2])
    try NpzFile.write([("a", a), (named, b), ("label", b)], to: path)
    return path
  }

  @Test("gives every input its rows, spread over the file")
  func rows() throws {
    let folder = try ScratchFolder()
    let source = try #require(
      try ArrayCalibration(contentsOf: try archive(folder), for: graph(), count: 3))
    #expect(source.sampleCount == 3)
    #expect(source.batchCount == 1)
    let batch = try source.batch(0)
    #expect(batch["a"] == Tensor([Float(0), 1, 2, 3, 6, 7], shape: [3, 2]))
    #expect(batch["b"] == Tensor([Int64(0), 1, 2, 3, 6, 7], shape: [3, 2]))
  }

  @Test("keeps a fixed batch size and leaves out what does not fill one")
  func fixedBatch() throws {
    let folder = try ScratchFolder()
    let source = try #require(
      try ArrayCalibration(
        contentsOf: try archive(folder), for: graph(batch: .fixed(2)), count: 100))
    #expect(source.sampleCount == 4)
    #expect(source.batchCount == 2)
  }

  @Test("is none of a file without some input, and refuses arrays that do not fit")
  func unfit() throws {
    let folder = try ScratchFolder()
    let other = try archive(folder, named: "d")
    #expect(try ArrayCalibration(contentsOf: other, for: graph(), count: 3) == nil)
    let short = try archive(folder, rows: 4)
    #expect(throws: InterfaceError.self) {
      try ArrayCalibration(contentsOf: short, for: graph(), count: 3)
    }
  }
}
