// SPDX-License-Identifier: Apache-2.0
import Foundation
import Reporting
import Swiftlet
import SwiftletCommand
import TestSupport
import Testing

@Suite("The command distill")
struct DistillCommandTests {
  private let session: CommandSession

  init() throws { session = try CommandSession() }

  /// Writes a student: the teacher's network with other weights.
  private func student() throws -> String {
    let path = session.folder.file("student.onnx")
    try OnnxModel.write(SmallNetwork.classifier(seed: 8), to: URL(fileURLWithPath: path))
    return path
  }

  private func command(_ output: String, _ others: String...) throws -> [String] {
    [
      "distill", "--teacher", try session.model("teacher.onnx"), "--student", try student(),
      "--data", try session.data(count: 96), "-o", session.folder.file(output), "--batch", "8",
      "--epochs", "2", "--lr", "0.02",
    ] + others
  }

  @Test("It says who teaches and what is compared, and writes a student and a page")
  func words() throws {
    let page = session.folder.file("page.html")
    let result = session(
      try command("out.onnx", "--loss", "kd", "--loss", "at:beta=10", "--report", page))
    #expect(result.status == 0, "\(result.errors)")
    let words = result.output.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
    #expect(words.contains("Teacher teacher.onnx"))
    #expect(words.contains("at relu.out 6×8×8 relu.out 6×8×8"))
    #expect(words.contains("read back: identical outputs"))
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(html.contains("What is compared"))
    #expect(html.contains("Terms of the loss"))
    let graph = try OnnxModel.read(
      contentsOf: URL(fileURLWithPath: session.folder.file("out.onnx")))
    #expect(graph.nodes.count == SmallNetwork.classifier().nodes.count)
    #expect(graph.metadata.properties["swiftlet.distill"] == "teacher.onnx: kd, at:beta=10")
  }

  @Test("With --json there is the teacher, its score, and every term of each epoch")
  func json() throws {
    let result = session(
      try command(
        "out.onnx", "--loss", "kd:alpha=0.5", "--loss", "ft:epochs=1,k=0.5", "--evaluate-on",
        session.folder.file("data.npz"), "--json", "--quiet"))
    #expect(result.status == 0, "\(result.errors)")
    let teacher = result.object["teacher"] as? [String: Any] ?? [:]
    // The labels are those that the teacher gives.
    #expect(teacher["top1"] as? Double == 100)
    let history = result.object["history"] as? [[String: Any]] ?? []
    #expect(history.count == 2)
    let terms = history.first?["terms"] as? [String: Double] ?? [:]
    #expect(Set(terms.keys) == ["cross_entropy", "kd", "ft"])
    #expect((result.object["taps"] as? [Any])?.count == 1)
  }

  @Test("A network of the zoo learns from a file")
  func architecture() throws {
    let result = session(
      "distill", "--teacher", try session.model("teacher.onnx"), "--student", "resnet8", "--data",
      try session.data(count: 96), "-o", session.folder.file("out.onnx"), "--batch", "8",
      "--steps", "2", "--loss", "sp", "--input", "3x8x8")
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test("Another preprocessing in the student's file is refused unless options say which is right")
  func preprocessing() throws {
    func network(_ name: String, _ preprocessing: Preprocessing) throws -> String {
      var graph = try ArchitectureRegistry.architecture(named: "resnet8").graph(
        ArchitectureOptions(classCount: 10))
      graph.metadata.properties = preprocessing.metadata
      let path = session.folder.file(name)
      try OnnxModel.write(graph, to: URL(fileURLWithPath: path))
      return path
    }
    let data = session.folder.file("photos")
    try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
    try DrawnShapes.write(trainingCount: 16, testCount: 8, seed: 1, to: data)
    let teacher = try network("cifar.onnx", .cifar10)
    func run(_ student: String, _ others: String...) -> CommandSession.Result {
      session(
        [
          "distill", "--teacher", teacher, "--student", student, "--data", data, "-o",
          session.folder.file("out.onnx"), "--batch", "8", "--steps", "1",
        ] + others)
    }
    let refused = run(try network("raw.onnx", .raw))
    #expect(refused.status == 1)
    #expect(refused.errors.contains("cifar.onnx: its file stores another preprocessing"))
    let warned = run(session.folder.file("raw.onnx"), "--preprocess", "raw")
    #expect(warned.status == 0, "\(warned.errors)")
    #expect(warned.errors.contains("cifar.onnx: its file stores another preprocessing"))
    let same = run("resnet8")
    #expect(same.status == 0, "\(same.errors)")
    #expect(!same.errors.contains("preprocessing"))
    let written = try OnnxModel.read(
      contentsOf: URL(fileURLWithPath: session.folder.file("out.onnx")))
    #expect(try Preprocessing(metadata: written.metadata.properties) == .cifar10)
  }

  @Test("Wrong losses and taps have an error that says what there is")
  func errors() throws {
    let unknown = session(try command("out.onnx", "--loss", "kt:T=4"))
    #expect(unknown.status == 2)
    #expect(unknown.errors.contains("kd, at, sp, ft, hint"))
    let tap = session(try command("out.onnx", "--loss", "at:student=layer9"))
    #expect(tap.status == 1)
    #expect(tap.errors.contains("layer9"))
    #expect(tap.errors.contains("relu.out"))
    #expect(!FileManager.default.fileExists(atPath: session.folder.file("out.onnx")))
  }
}
