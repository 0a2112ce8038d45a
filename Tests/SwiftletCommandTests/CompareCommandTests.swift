// SPDX-License-Identifier: Apache-2.0
import Foundation
import Reporting
import Swiftlet
import SwiftletCommand
import TestSupport
import Testing

@Suite("The command compare")
struct CompareCommandTests {
  private let session: CommandSession

  init() throws { session = try CommandSession() }

  /// The network that gives the labels, and one with other weights.
  private func models() throws -> [String] {
    let other = session.folder.file("other.onnx")
    try OnnxModel.write(SmallNetwork.classifier(seed: 8), to: URL(fileURLWithPath: other))
    return [try session.model("first.onnx"), other]
  }

  @Test("One table, and a page with both plots")
  func words() throws {
    let page = session.folder.file("page.html")
    let result = session(
      ["compare"] + (try models()) + ["--data", try session.data(), "--report", page])
    #expect(result.status == 0, "\(result.errors)")
    let words = result.output.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
    #expect(words.contains("network parameters MACs size top-1 latency"))
    #expect(words.contains("100.00 %"))
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(html.contains("Accuracy against size"))
    #expect(html.contains("Accuracy against latency"))
    #expect(html.contains("other.onnx"))
    #expect(!html.contains("Before and after"))
  }

  @Test("With --json each network has its figures, and whether another beats it")
  func json() throws {
    let models = try models()
    let result = session(
      ["compare"] + models + ["--data", try session.data(), "--json", "--quiet"])
    #expect(result.status == 0, "\(result.errors)")
    let networks = result.object["networks"] as? [[String: Any]] ?? []
    #expect(networks.map { $0["model"] as? String } == models)
    #expect(networks[0]["top1"] as? Double == 100)
    #expect(networks[0]["bytes"] as? Int == networks[1]["bytes"] as? Int)
    #expect(networks.map { $0["best_by_size"] as? Bool } == [true, false])
    let latency = networks[0]["latency_ms"] as? [String: Double] ?? [:]
    #expect(latency["median"] ?? 0 > 0)
  }

  @Test("One file is too few, and data without labels is refused")
  func errors() throws {
    let models = try models()
    #expect(session("compare", models[0], "--data", "x").status == 2)
    let path = session.folder.file("bare.npz")
    let x = RandomInputs.tensors(for: [("x", TensorType(.float32, shape: [4, 3, 8, 8]))], seed: 1)
    try NpzFile.write([("x", try #require(x["x"]))], to: path)
    let result = session(["compare"] + models + ["--data", path])
    #expect(result.status == 1)
    #expect(result.errors.contains("labels"))
  }
}
