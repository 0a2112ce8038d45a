// SPDX-License-Identifier: Apache-2.0
import Foundation
import GraphIR
import GraphPasses
import OnnxIO
import TensorCore
import Testing

@Suite("Exported networks under both pass lists") struct ExportedNetworkTests {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "shared/data/exports")

  static var isPresent: Bool { FileManager.default.fileExists(atPath: folder.path) }

  struct Network: Sendable, CustomTestStringConvertible {
    let file: String
    /// Nodes after the portable list, and after lowering.
    let portable: Int
    let lowered: Int
    var testDescription: String { file }
  }

  @Test(
    "keep their outputs and become as small as they can", .enabled(if: isPresent),
    arguments: [
      Network(file: "dscnn-ts13-dyn", portable: 18, lowered: 11),
      Network(file: "shufflenetv2-ts13-dyn", portable: 88, lowered: 69),
      Network(file: "resnet-ts13-identity-dyn", portable: 38, lowered: 19),
      Network(file: "mobilenetv3-ts13", portable: 67, lowered: 36),
      Network(file: "mobilenetv2-dynamo18-noopt", portable: 54, lowered: 31),
      Network(file: "tf-efficientnet-same-ts13-dynhw", portable: 326, lowered: 60),
    ])
  func networks(_ network: Network) throws {
    let graph = try OnnxModel.read(
      contentsOf: Self.folder.appending(path: network.file + ".onnx"))
    let shapes = Self.shapes(of: graph)
    // Rounding is amplified through tens of layers with random weights.
    let fixed = try graph.specialized(to: shapes)
    let portable = try rewritten(fixed, by: .portable, tolerance: 1e-5)
    _ = try rewritten(portable, by: .lowering, tolerance: 1e-5)
    let symbolic = try PassPipeline.portable.run(graph).graph
    #expect(symbolic.nodes.count == network.portable)
    let lowered = try PassPipeline.lowering.run(try symbolic.specialized(to: shapes)).graph
    #expect(lowered.nodes.count == network.lowered)
  }

  @Test("a quantized network is integer steps from end to end", .enabled(if: isPresent))
  func quantized() throws {
    let graph = try OnnxModel.read(
      contentsOf: Self.folder.appending(path: "mobilenetv2-qdq-perchannel.onnx"))
    let portable = try rewritten(graph, by: .portable, tolerance: 0)
    #expect(portable.kinds == graph.kinds)
    let lowered = try rewritten(portable, by: .lowering, tolerance: 0)
    #expect(lowered.nodes.count == 33)
    let real = lowered.nodes.filter { !($0.op is Fused) }.map(\.op.kind)
    #expect(real == ["QuantizeLinear", "Flatten", "DequantizeLinear"])
  }

  private static func shapes(of graph: Graph) -> [String: [Int]] {
    var result: [String: [Int]] = [:]
    for input in graph.inputs {
      result[graph[input].name] = graph[input].type?.dimensions?.enumerated().map {
        $1.value ?? ($0 == 0 ? 2 : 47)
      }
    }
    return result
  }
}
