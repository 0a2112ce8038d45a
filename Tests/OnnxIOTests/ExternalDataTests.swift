// SPDX-License-Identifier: Apache-2.0
import Foundation
import GraphIR
import OnnxIO
import TensorCore
import Testing

@Suite("External data stays inside the model's folder")
struct ExternalDataTests {
  private let scratch: ScratchFolder
  private let folder: URL

  init() throws {
    scratch = try ScratchFolder()
    folder = scratch.file("model")
    let inner = folder.appendingPathComponent("inner")
    try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
    let bytes = Data([9, 9, 9, 9, 0, 0, 128, 63, 0, 0, 0, 64])
    try bytes.write(to: folder.appendingPathComponent("w.data"))
    try bytes.write(to: inner.appendingPathComponent("w.data"))
    try bytes.write(to: scratch.file("secret"))
    try FileManager.default.createSymbolicLink(
      atPath: folder.appendingPathComponent("link").path,
      withDestinationPath: scratch.file("secret").path)
    try FileManager.default.createSymbolicLink(
      atPath: folder.appendingPathComponent("up").path, withDestinationPath: scratch.url.path)
    try FileManager.default.createSymbolicLink(
      atPath: folder.appendingPathComponent("alias").path, withDestinationPath: "w.data")
  }

  private func read(_ entries: [(String, String)], inMemory: Bool = false) throws -> Tensor? {
    let bytes = WireMessage.model { graph in
      graph.add(
        initializer: .tensor("w", type: 1, dims: [2]) { tensor in
          for (key, value) in entries {
            tensor.message(13) {
              $0.string(1, key)
              $0.string(2, value)
            }
          }
          tensor.varint(14, 1)
        })
      graph.add(node: .node("Identity", ["w"], ["y"]))
      graph.add(output: WireMessage { $0.string(1, "y") })
    }
    if inMemory {
      let graph = try OnnxModel.read(bytes)
      return graph.constant(graph.value(named: "w"))
    }
    let url = folder.appendingPathComponent("m.onnx")
    try Data(bytes).write(to: url)
    let graph = try OnnxModel.read(contentsOf: url)
    return graph.constant(graph.value(named: "w"))
  }

  private func problem(
    _ entries: [(String, String)], inMemory: Bool = false
  ) -> OnnxTensorProblem? {
    do { _ = try read(entries, inMemory: inMemory) } catch OnnxError.invalid(
      _, .tensor("w", let problem))
    { return problem } catch { return nil }
    return nil
  }

  @Test(
    "A range of a file in the folder is read",
    arguments: ["w.data", "./w.data", "inner/w.data", "alias"])
  func ranges(_ location: String) throws {
    let tensor = try read([("location", location), ("offset", "4"), ("length", "8")])
    #expect(tensor == Tensor([Float(1), 2], shape: [2]))
  }

  @Test(
    "Paths that leave the folder are refused",
    arguments: ["../secret", "inner/../../secret", "/etc/passwd", "", "link", "up/secret", "..\\x"])
  func escapes(_ location: String) {
    #expect(problem([("location", location)]) == .outsideFolder(location: location))
  }

  @Test("Missing, short and odd files are refused")
  func oddFiles() {
    #expect(
      problem([("location", "absent")])
        == .unreadableData(location: "absent", reason: "No such file or directory"))
    #expect(
      problem([("location", "inner")])
        == .unreadableData(location: "inner", reason: "not a plain file"))
    #expect(
      problem([("location", "w.data"), ("offset", "8")])
        == .dataTooShort(location: "w.data", offset: 8, length: 8, available: 12))
    let far = "\(Int.max)"
    #expect(
      problem([("location", "w.data"), ("offset", far)])
        == .dataTooShort(location: "w.data", offset: .max, length: 8, available: 12))
    #expect(
      problem([("location", "w.data"), ("offset", "-4")])
        == .invalidEntry(key: "offset", value: "-4"))
    #expect(
      problem([("location", "w.data"), ("length", "9")])
        == .wrongByteCount(found: 9, expected: 8))
    #expect(
      problem([("location", "w.data")], inMemory: true) == .noFolder(location: "w.data"))
  }

  @Test("Large tensors can be written beside the model and read back")
  func writing() throws {
    var graph = Graph(name: "g")
    let large = Tensor([Float](repeating: 0.25, count: 1000), shape: [1000])
    let small = Tensor([Float(1)], shape: [1])
    let values = [graph.addConstant(small, name: "small"), graph.addConstant(large, name: "large")]
    let other = graph.addConstant(Tensor([Float(3), 4], shape: [2]), name: "other")
    graph.setOutputs(values + [other])
    let url = scratch.file("big.onnx")
    try OnnxModel.write(graph, to: url, options: OnnxWriteOptions(externalDataThreshold: 8))
    let data = try Data(contentsOf: scratch.file("big.onnx.data"))
    #expect(data.count == 4032 + 8)
    #expect(try Data(contentsOf: url).count < 1000)
    #expect(differences(graph, try OnnxModel.read(contentsOf: url)) == [])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: scratch.url.path).sorted() == [
        "big.onnx", "big.onnx.data", "model", "secret",
      ])
  }

  @Test("A failed write leaves what was there")
  func failedWrite() throws {
    var graph = Graph(name: "g")
    graph.markOutput(graph.addConstant(Tensor(scalar: Float(1)), name: "c"))
    let inside = folder.appendingPathComponent("absent/m.onnx")
    #expect(throws: OnnxError.unwritable(file: inside.path, reason: "No such file or directory")) {
      try OnnxModel.write(graph, to: inside)
    }
    #expect(
      throws: OnnxError.unwritable(
        file: folder.path, reason: "there is a folder or device in its place")
    ) { try OnnxModel.write(graph, to: folder) }
  }
}
