// SPDX-License-Identifier: Apache-2.0
import Foundation
import Swiftlet
import SwiftletCommand
import TestSupport
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

  @Test("Bits are lowered from step to step on the trained weights")
  func lowering() throws {
    let session = try CommandSession()
    func apply(_ model: String, _ output: String, bits: Int...) throws -> CommandSession.Result {
      let path = session.folder.file("\(output).yaml")
      let steps = bits.map {
        """
          - train:
              recipe: {epochs: 1, batch_size: 16, learning_rate: 0.01}
              quantization: {quantizer: lsq, weights: \($0), activations: \($0)}
        """
      }
      try (["steps:"] + steps).joined(separator: "\n").write(
        toFile: path, atomically: true, encoding: .utf8)
      return session([
        "apply", path, "--model", model, "--data", try session.data(count: 96), "-o",
        session.folder.file(output), "--json",
      ])
    }
    func bytes(_ name: String) throws -> Data {
      try Data(contentsOf: URL(fileURLWithPath: session.folder.file(name)))
    }
    let lowered = try apply(try session.model(), "lowered.onnx", bits: 6, 3)
    #expect(lowered.status == 0, "\(lowered.errors)")
    #expect(lowered.errors.contains("before their rounding"))
    let weights = session.folder.file("lowered.step1.checkpoint/model.onnx")
    let alone = try apply(weights, "alone.onnx", bits: 3)
    #expect(alone.status == 0, "\(alone.errors)")
    #expect(try bytes("lowered.onnx") == bytes("alone.onnx"))
    #expect(try apply(try session.model(), "direct.onnx", bits: 3).status == 0)
    #expect(try bytes("lowered.onnx") != bytes("direct.onnx"))
  }

  /// With all weight on the teacher labels give no gradient, so what is learnt comes from it.
  @Test("A recipe trains with few bits and a teacher at once, and goes on where it was")
  func taught() throws {
    let session = try CommandSession()
    let student = session.folder.file("student.onnx")
    try OnnxModel.write(SmallNetwork.classifier(seed: 8), to: URL(fileURLWithPath: student))
    let teacher = try session.model("teacher.onnx")
    func apply(_ name: String, epochs: Int, _ distillation: String, _ extra: String...) throws
      -> CommandSession.Result
    {
      let path = session.folder.file("recipe.yaml")
      let text = """
        model: \(student)
        data: \(try session.data(count: 96))
        output: \(session.folder.file(name))
        steps:
          - train:
              recipe: {epochs: \(epochs), batch_size: 16, learning_rate: 0.05}
              quantization: {weights: 2, activations: 4, first_last: 2}
              distillation: \(distillation)
        """
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      return session(["apply", path, "--json"] + extra)
    }
    let losses = "losses: [\"kd:T=2,alpha=1\", \"at:beta=10\"]"
    let result = try apply("out.onnx", epochs: 6, "{teacher: \(teacher), \(losses)}")
    #expect(result.status == 0, "\(result.errors)")
    let step = try #require((result.object["steps"] as? [[String: Any]])?.first)
    #expect(step["losses"] as? [String] == ["kd:T=2,alpha=1", "at:beta=10"])
    #expect(step["quantizer"] as? String == "lsq")
    let history = step["history"] as? [[String: Any]] ?? []
    let terms = history.map { $0["terms"] as? [String: Double] ?? [:] }
    #expect(terms.count == 6)
    #expect((terms.last?["kd"] ?? 1) < (terms.first?["kd"] ?? 0))

    let url = URL(fileURLWithPath: session.folder.file("out.onnx"))
    let read = try OnnxModel.read(contentsOf: url)
    let types = read.nodes.filter { $0.op is DequantizeLinear }
      .compactMap { read.constant($0.inputs[0])?.elementType }
    #expect(types == [.int2, .int2])
    #expect(read.metadata.properties["swiftlet.distill"]?.contains("teacher.onnx") == true)
    let bytes = try Data(contentsOf: url)
    let again = try apply("out.onnx", epochs: 6, "{teacher: \(teacher), \(losses)}", "--resume")
    #expect(again.status == 0, "\(again.errors)")
    #expect(try Data(contentsOf: url) == bytes)
    let given = try apply("other.onnx", epochs: 6, "{\(losses)}", "--teacher", teacher)
    #expect(given.status == 0, "\(given.errors)")
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: session.folder.file("other.onnx"))) == bytes)
  }

  @Test("A teacher that is missing, unused or written over is an error")
  func wrongTeacher() throws {
    let session = try CommandSession()
    let teacher = try session.model("teacher.onnx")
    let path = session.folder.file("recipe.yaml")
    func apply(_ step: String, _ output: String, _ extra: String...) throws
      -> CommandSession.Result
    {
      try "steps: [{train: \(step)}]".write(toFile: path, atomically: true, encoding: .utf8)
      return session(
        ["apply", path, "--model", try session.model(), "--data", try session.data(), "-o", output]
          + extra)
    }
    let missing = try apply(
      "{distillation: {teacher: nowhere.onnx}}", session.folder.file("o.onnx"))
    #expect(missing.status == 1 && missing.errors.contains("nowhere.onnx"))
    let unused = try apply("{}", session.folder.file("o.onnx"), "--teacher", teacher)
    #expect(unused.status == 2 && unused.errors.contains("--teacher"))
    let over = try apply("{distillation: {teacher: \(teacher)}}", teacher)
    #expect(over.status != 0 && over.errors.contains("teacher.onnx"))
  }

  @Test(
    "Mistakes in a recipe are named",
    arguments: [
      ("steps: [{train: {recipe: {epoch: 1}}}]", "epoch"),
      ("steps: [{train: {quantisation: {}}}]", "quantisation"),
      ("steps: [{train: {quantization: {bits: 4}}}]", "bits"),
      ("steps: [{train: {quantization: {quantizer: lsd}}}]", "lsd"),
      ("steps: [{train: {quantization: {pack: bytes}}}]", "types, function"),
      ("steps: [{train: {distillation: {teach: a.onnx}}}]", "teacher, losses"),
      ("steps: [{train: {distillation: {losses: []}}}]", "a list of kd"),
      ("steps: [{train: {distillation: {losses: [ke]}}}]", "ke"),
      ("steps: [{train: {distillation: {losses: [\"kd:T=-1\"]}}}]", "T=-1"),
      ("steps: [{train: {distillation: {losses: [kd]}}}]", "--teacher"),
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
