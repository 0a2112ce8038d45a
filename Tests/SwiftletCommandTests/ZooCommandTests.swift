// SPDX-License-Identifier: Apache-2.0
import Foundation
import Swiftlet
import SwiftletCommand
import Testing

@Suite("The command zoo")
struct ZooCommandTests {
  private let session: CommandSession

  init() throws { session = try CommandSession() }

  @Test("lists every network with its counts, in 100 columns")
  func list() {
    let words = session("zoo")
    #expect(words.status == 0)
    let lines = words.output.split(separator: "\n")
    #expect(lines.count == ArchitectureRegistry.all.count + 1)
    #expect(lines.allSatisfy { $0.count <= 100 })
    #expect(words.output.contains("He et al., 2015"))
    let rows = session("zoo", "--json").object["architectures"] as? [[String: Any]] ?? []
    #expect(rows.map { $0["name"] as? String } == ArchitectureRegistry.all.map(\.name))
    let resnet = rows.first { $0["name"] as? String == "resnet50" } ?? [:]
    #expect(resnet["parameters"] as? Int == 25_557_032)
    #expect(resnet["macs"] as? Int == 4_089_184_256)
    #expect(resnet["input"] as? String == "3x224x224")
    #expect((resnet["paper"] as? [String: Any])?["year"] as? Int == 2015)
  }

  @Test(
    "exports what inspect counts the same",
    arguments: [
      ["resnet20"], ["resnet20", "--classes", "100"], ["lenet5"],
      ["mobilenet_v2", "--input", "3x32x32", "--width", "0.5"],
      ["mobilenet_v3_small", "--input", "1x28x28", "--width", "0.35"],
      ["shufflenet_v2_x0_5", "--input", "3x32x32"], ["squeezenet1_1", "--input", "3x32x32"],
      ["densenet40_12"], ["mnasnet_a1", "--input", "3x32x32", "--width", "0.25"], ["nin"],
    ])
  func export(arguments: [String]) throws {
    let path = session.folder.file("net.onnx")
    let made = session(["zoo", "export"] + arguments + ["-o", path, "--json"])
    #expect(made.status == 0, "\(made.errors)")
    let seen = session("inspect", path, "--json").object
    #expect(seen["parameters"] as? Int == made.object["parameters"] as? Int)
    #expect(seen["macs"] as? Int == made.object["macs"] as? Int)
    let output = (seen["outputs"] as? [[String: Any]])?.first ?? [:]
    #expect(output["name"] as? String == "logits")
    #expect((output["shape"] as? [Any])?.first as? String == "N")
    #expect((output["shape"] as? [Any])?.last as? Int == made.object["classes"] as? Int)
  }

  @Test("carries weights from one network to another by their names")
  func weights() throws {
    let first = session.folder.file("first.onnx")
    let second = session.folder.file("second.onnx")
    let weights = session.folder.file("first.safetensors")
    #expect(session("zoo", "export", "resnet8", "-o", first, "--seed", "1").status == 0)
    let written = session("zoo", "weights", first, "-o", weights, "--json")
    #expect(written.status == 0, "\(written.errors)")
    let read = session(
      "zoo", "export", "resnet8", "-o", second, "--weights", weights, "--seed", "2")
    #expect(read.status == 0, "\(read.errors)")
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: first))
        == Data(contentsOf: URL(fileURLWithPath: second)))
  }

  @Test("names tensors that do not fit")
  func unsuitableWeights() throws {
    let model = session.folder.file("net.onnx")
    let weights = session.folder.file("net.safetensors")
    #expect(session("zoo", "export", "resnet8", "-o", model).status == 0)
    #expect(session("zoo", "weights", model, "-o", weights).status == 0)
    let result = session(
      "zoo", "export", "resnet8_b", "-o", model, "--weights", weights, "--classes", "3")
    #expect(result.status == 1)
    #expect(result.errors.contains("missing: layer2.0.downsample.0.weight"))
    #expect(result.errors.contains("fc.weight is float32 10×64 (expected float32 3×64)"))
    let absent = session("zoo", "export", "resnet8", "-o", model, "--weights", "/nowhere/w")
    #expect(absent.status == 1)
    #expect(absent.errors.contains("/nowhere/w"))
  }

  @Test("names networks that are like the one that is asked for")
  func unknown() {
    let result = session("zoo", "export", "resnet-50", "-o", "x.onnx")
    #expect(
      result.errors.hasPrefix(
        "error: no architecture is named \"resnet-50\" (near: resnet50"))
  }
}
