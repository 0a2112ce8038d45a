// SPDX-License-Identifier: Apache-2.0
import Foundation
import Swiftlet
import SwiftletCommand
import Testing

@Suite("The command quantize")
struct QuantizeCommandTests {
  private let session: CommandSession

  init() throws { session = try CommandSession() }

  @Test("It writes a smaller network, says what it did and measures both")
  func words() throws {
    let output = session.folder.file("int8.onnx")
    let page = session.folder.file("report.html")
    let result = session(
      "quantize", try session.model(), "--data", try session.data(), "-o", output, "--samples",
      "40", "--report", page)
    #expect(result.status == 0, "\(result.errors)")
    for label in ["Recipe", "Preprocessing", "This machine", "Size", "Top-1", "Written", "Next"] {
      #expect(result.output.contains("\n\(label)"))
    }
    let words = result.output.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
    #expect(words.contains("read back: identical outputs"))
    #expect(result.errors.contains("Calibrating"))
    #expect(try String(contentsOfFile: page, encoding: .utf8).contains("<svg"))
    let graph = try OnnxModel.read(contentsOf: URL(fileURLWithPath: output))
    #expect(graph.isQuantized)
  }

  @Test("With --json there is one object with both sides and the layers")
  func json() throws {
    let output = session.folder.file("int8.onnx")
    let result = session(
      "quantize", try session.model(), "--data", try session.data(), "-o", output, "--samples",
      "40", "--json", "--quiet")
    #expect(result.status == 0, "\(result.errors)")
    let before = result.object["before"] as? [String: Any] ?? [:]
    let after = result.object["after"] as? [String: Any] ?? [:]
    #expect(before["top1"] as? Double == 100)
    #expect(after["top1"] as? Double ?? 0 > 80)
    #expect((after["latency_ms"] as? [String: Double])?["median"] ?? 0 > 0)
    #expect(after["bytes"] as? Int ?? 0 > 0)
    #expect(after["int8_macs_share"] as? Double == 1)
    #expect((result.object["layers"] as? [Any])?.count == 2)
  }

  @Test("The same command writes the same bytes, with any number of threads")
  func deterministic() throws {
    let (model, data) = (try session.model(), try session.data())
    var contents: [Data] = []
    for threads in ["1", "2", "2"] {
      let output = session.folder.file("int8-\(contents.count).onnx")
      let result = session(
        "quantize", model, "--data", data, "-o", output, "--samples", "40", "--threads", threads,
        "--quiet")
      #expect(result.status == 0, "\(result.errors)")
      contents.append(try Data(contentsOf: URL(fileURLWithPath: output)))
    }
    #expect(contents[0] == contents[1])
    #expect(contents[1] == contents[2])
  }

  @Test("A loss that cannot be kept ends with status 3, the closest network in the file")
  func missedGoal() throws {
    let output = session.folder.file("int8.onnx")
    let result = session(
      "quantize", try session.model(), "--data", try session.data(), "-o", output, "--samples",
      "40", "--estimator", "percentile", "--percentile", "0.51", "--per-tensor", "--max-drop", "0",
      "--quiet")
    let isMissed = result.status == 3
    #expect(isMissed || result.status == 0)
    #expect(result.errors.contains("was missed by") == isMissed)
    #expect(FileManager.default.fileExists(atPath: output))
  }

  @Test("Preprocessing is stored in the model and taken from there")
  func preprocessing() throws {
    let output = session.folder.file("int8.onnx")
    let result = session(
      "quantize", try session.model(), "--data", try session.data(), "-o", output, "--scale", "2",
      "--mean", "-0.5", "--quiet")
    #expect(result.status == 0, "\(result.errors)")
    let graph = try OnnxModel.read(contentsOf: URL(fileURLWithPath: output))
    let stored = try #require(try Preprocessing(metadata: graph.metadata.properties))
    #expect(stored.scale == 2)
    #expect(stored.mean == [-0.5])
  }

  @Test("The float network itself is not overwritten, and a missing folder is found first")
  func outputs() throws {
    let (model, data) = (try session.model(), try session.data())
    let same = session("quantize", model, "--data", data, "-o", model)
    #expect(same.status == 1)
    let missing = session("quantize", model, "--data", data, "-o", "/nowhere/int8.onnx")
    #expect(missing.status == 1)
    #expect(missing.errors.contains("its folder does not exist"))
  }

  @Test("A quantized network is not quantized again")
  func twice() throws {
    let output = session.folder.file("int8.onnx")
    let data = try session.data()
    _ = session("quantize", try session.model(), "--data", data, "-o", output, "--quiet")
    let again = session(
      "quantize", output, "--data", data, "-o", session.folder.file("again.onnx"))
    #expect(again.status == 1)
    #expect(again.errors.contains("quantized already"))
    #expect(!FileManager.default.fileExists(atPath: session.folder.file("again.onnx")))
  }
}
