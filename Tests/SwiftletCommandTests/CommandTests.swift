// SPDX-License-Identifier: Apache-2.0
import Foundation
import Swiftlet
import SwiftletCommand
import Testing

@Suite("Commands on a small network")
struct CommandTests {
  private let session: CommandSession

  init() throws { session = try CommandSession() }

  @Test("inspect gives layers, parameters, products and bytes")
  func inspect() throws {
    let model = try session.model()
    let words = session("inspect", model)
    #expect(words.status == 0)
    #expect(words.output.contains("opset 17"))
    #expect(words.output.contains("conv "))
    let object = session("inspect", model, "--json").object
    #expect(object["parameters"] as? Int == 202)
    #expect(object["macs"] as? Int == 6 * 27 * 64 + 24)
    #expect((object["layers"] as? [Any])?.count == 6)
    let size = try FileManager.default.attributesOfItem(atPath: model)[.size] as? Int
    #expect(object["bytes"] as? Int == size)
  }

  @Test("check says that the network runs and can be quantized")
  func check() throws {
    let result = session("check", try session.model(), "--json")
    #expect(result.status == 0)
    #expect(result.object["runnable"] as? Bool == true)
    #expect(result.object["quantizable"] as? Bool == true)
    #expect((result.object["operators"] as? [Any])?.count == 6)
  }

  @Test("bench gives latencies, memory and what they were measured with")
  func bench() throws {
    let model = try session.model()
    let result = session(
      "bench", model, "--runs", "5", "--batch", "2", "--threads", "1", "--profile", "--json")
    #expect(result.status == 0)
    let latency = result.object["latency_ms"] as? [String: Double] ?? [:]
    #expect(latency["min"] ?? 0 > 0)
    #expect(latency["median"] ?? 0 >= latency["min"] ?? 0)
    #expect(latency["p95"] ?? 0 >= latency["median"] ?? 0)
    #expect(result.object["batch"] as? Int == 2)
    #expect(result.object["threads"] as? Int == 1)
    #expect(result.object["precision"] as? String == "fp32")
    #expect(result.object["peak_memory_bytes"] as? Int ?? 0 > 1_000_000)
    #expect((result.object["profile"] as? [Any])?.isEmpty == false)
    let wrong = session("bench", model, "--precision", "int8")
    #expect(wrong.status == 1)
    #expect(wrong.errors.contains("no quantized nodes"))
  }

  @Test("evaluate gives top-1 and top-5 in percent")
  func evaluate() throws {
    let result = session("evaluate", try session.model(), "--data", try session.data(), "--json")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.object["top1"] as? Double == 100)
    #expect(result.object["top5"] as? Double == 100)
    #expect(result.object["count"] as? Int == 120)
    #expect((result.object["classes"] as? [Any])?.isEmpty == false)
  }

  @Test("run writes each output under its name")
  func run() throws {
    let model = try session.model()
    let input = session.folder.file("x.npy")
    try NpyFile.write(Tensor(zerosOf: .float32, shape: [2, 3, 8, 8]), to: input)
    let folder = session.folder.file("out")
    #expect(session("run", model, "--input", input, "--output-dir", folder).status == 0)
    #expect(try NpyFile.read(folder + "/logits.npy").shape == [2, 4])
    let named = session("run", model, "--input", "input=\(input)", "--output-dir", folder)
    #expect(named.status == 0)
    let wrong = session("run", model, "--input", "image=\(input)", "--output-dir", folder)
    #expect(wrong.status == 1)
    #expect(wrong.errors.contains("no input is named \"image\""))
  }

  @Test("run refuses inputs of the wrong shape by name")
  func wrongShape() throws {
    let input = session.folder.file("x.npy")
    try NpyFile.write(Tensor(zerosOf: .float32, shape: [2, 3, 9, 8]), to: input)
    let result = session("run", try session.model(), "--input", input)
    #expect(result.status == 1)
    #expect(result.errors.contains("input \"input\" is float32 2×3×9×8"))
  }

  @Test("doctor names features, threads and memory")
  func doctor() {
    let result = session("doctor", "--json")
    #expect(result.status == 0)
    #expect(result.object["threads"] as? Int ?? 0 >= 1)
    #expect(result.object["memory_bytes"] as? Int ?? 0 > 0)
    #expect((result.object["onednn_version"] as? String)?.hasPrefix("3.") == true)
  }
}

@Suite("Names of inputs and outputs")
struct NameTests {
  @Test("An input is NAME=PATH, or a path where there is one input")
  func inputs() throws {
    #expect(try RunCommand.split("a=x.npy", names: ["a", "b"]) == ("a", "x.npy"))
    #expect(try RunCommand.split("x.npy", names: ["a"]) == ("a", "x.npy"))
    #expect(try RunCommand.split("k=v=x.npy", names: ["k=v", "b"]) == ("k=v", "x.npy"))
    #expect(throws: CommandError.self) { try RunCommand.split("x.npy", names: ["a", "b"]) }
    #expect(throws: CommandError.self) { try RunCommand.split("c=x.npy", names: ["a", "b"]) }
  }

  @Test("A slash in an output's name makes a folder")
  func outputs() throws {
    let paths = try OutputFolder("out").paths(of: ["y", "gpu_0/softmax_1"])
    #expect(paths == ["out/y.npy", "out/gpu_0/softmax_1.npy"])
  }

  @Test(
    "A name that would leave the folder is refused",
    arguments: ["../y", "/etc/y", "a/../../y", "", "a//b", ".", "a/"])
  func hostile(name: String) {
    #expect(throws: CommandError.self) { try OutputFolder("out").paths(of: [name]) }
  }
}
