// SPDX-License-Identifier: Apache-2.0
import Foundation
import Swiftlet
import SwiftletCommand
import Testing

@Suite("`swiftlet qat` and `swiftlet apply`")
struct QuantizeAwareCommandTests {
  private func arguments(_ session: CommandSession, _ output: String) throws -> [String] {
    [
      "qat", try session.model(), "--data", try session.data(count: 96), "-o",
      session.folder.file(output), "--epochs", "2", "--batch", "16", "--lr", "0.02", "--json",
    ]
  }

  @Test("qat writes a network of few bits and tells what it cost")
  func trains() throws {
    let session = try CommandSession()
    let result = session(try arguments(session, "q.onnx") + ["--weights", "3"])
    #expect(result.status == 0, "\(result.errors)")
    let object = result.object
    #expect(object["quantizer"] as? String == "lsq")
    #expect((object["bytes"] as? Int ?? .max) > 0)
    #expect((object["history"] as? [Any])?.count == 2)
    let read = try OnnxModel.read(contentsOf: URL(fileURLWithPath: session.folder.file("q.onnx")))
    #expect(read.isQuantized)
  }

  static let cases: [(arguments: [String], status: Int32)] = [
    (["--layer", "op:Conv=4,8"], 0), (["--layer", "op:Conv"], 2), (["--layer", "nowhere=4"], 2),
    (["--weights", "2", "--pack", "function"], 0), (["--pack", "bytes"], 2),
    (["--weights", "9"], 2), (["--quantizer", "none"], 2), (["--quantizer", "lsq:rate=x"], 2),
  ]

  @Test("Layers are chosen by selectors; wrong choices are wrong usage", arguments: cases)
  func choices(extra: [String], status: Int32) throws {
    let session = try CommandSession()
    let result = session(try arguments(session, "q.onnx") + ["--steps", "1"] + extra)
    #expect(result.status == status, "\(result.errors)")
  }

  @Test("A recipe trains, then trains with quantization, and goes on where it was")
  func recipe() throws {
    let session = try CommandSession()
    let path = session.folder.file("recipe.yaml")
    let text = """
      model: \(try session.model())
      data: \(try session.data(count: 96))
      output: \(session.folder.file("out.onnx"))
      steps:
        - train: {recipe: {epochs: 1, batch_size: 16, learning_rate: 0.01}}
        - train:
            recipe: {epochs: 2, batch_size: 16, learning_rate: 0.01}
            quantization:
              quantizer: {kind: lsq, granularity: channel}
              weights: 4
              activations: 4
              layers: [{select: "op:Gemm", weights: 6}]
      """
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    let first = session(["apply", path, "--json"])
    #expect(first.status == 0, "\(first.errors)")
    #expect((first.object["steps"] as? [Any])?.count == 2)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: session.folder.file("out.onnx")))
    let second = session(["apply", path, "--json", "--resume"])
    #expect(second.status == 0, "\(second.errors)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: session.folder.file("out.onnx"))) == bytes)
  }

  @Test(
    "Mistakes in a recipe are named",
    arguments: [
      ("steps: [{train: {recipe: {epoch: 1}}}]", "epoch"),
      ("steps: [{train: {quantisation: {}}}]", "quantisation"),
      ("steps: [{train: {quantization: {bits: 4}}}]", "bits"),
      ("steps: [{train: {quantization: {quantizer: lsd}}}]", "lsd"),
      ("steps: [{train: {quantization: {pack: bytes}}}]", "types, function"),
      ("steps: [{prune: {}}]", "train, quantize"), ("steps: []", "steps"),
      ("model: a.onnx", "steps"), ("stepz: []", "stepz"),
    ])
  func mistakes(text: String, named: String) throws {
    let session = try CommandSession()
    let path = session.folder.file("recipe.yaml")
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    let result = session(["apply", path, "--model", "a.onnx", "--data", "b", "-o", "c.onnx"])
    #expect(result.status == 2)
    #expect(result.errors.contains(named), "\(result.errors)")
  }
}
