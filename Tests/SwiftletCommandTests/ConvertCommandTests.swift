// SPDX-License-Identifier: Apache-2.0
import Foundation
import Swiftlet
import SwiftletCommand
import Testing

@Suite("The command convert")
struct ConvertCommandTests {
  private let session: CommandSession

  init() throws { session = try CommandSession() }

  private func outputs(_ path: String, _ inputs: [String: Tensor]) throws -> [[Float]] {
    let graph = try OnnxModel.read(contentsOf: URL(fileURLWithPath: path))
    return try Interpreter(graph).run(inputs).map { $0.floats() }
  }

  @Test("writes the asked operator set; the network stays the same", arguments: [17, 21, 26])
  func operatorSet(_ opset: Int) throws {
    let model = try session.model()
    let output = session.folder.file("out.onnx")
    let result = session("convert", model, "-o", output, "--opset", "\(opset)", "--json")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.object["opset"] as? Int == opset)
    #expect(result.object["nodes"] as? Int == result.object["nodes_before"] as? Int)
    let x = RandomInputs.tensors(
      for: [("input", TensorType(.float32, shape: [2, 3, 8, 8]))], seed: 3)
    #expect(try outputs(output, x) == outputs(model, x))
  }

  @Test("folds batch norms; results stay within rounding")
  func simplify() throws {
    let model = session.folder.file("resnet8.onnx")
    let output = session.folder.file("plain.onnx")
    #expect(session("zoo", "export", "resnet8", "-o", model, "--input", "3x8x8").status == 0)
    let result = session("convert", model, "-o", output, "--simplify", "--json")
    #expect(result.status == 0, "\(result.errors)")
    let graph = try OnnxModel.read(contentsOf: URL(fileURLWithPath: output))
    #expect(!graph.nodes.contains { $0.op.kind == "BatchNormalization" })
    #expect(graph.nodes.count == result.object["nodes"] as? Int)
    #expect(graph.nodes.count < result.object["nodes_before"] as? Int ?? 0)
    let name = graph[graph.inputs[0]].name
    let x = RandomInputs.tensors(
      for: [(name, TensorType(.float32, shape: [1, 3, 8, 8]))], seed: 3)
    // A score sums at most 576 products in each of nine layers, each rounded to 2^-24.
    for (found, expected) in zip(try outputs(output, x), try outputs(model, x)) {
      let largest = expected.map(abs).max() ?? 0
      #expect(found.count == expected.count)
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 9 * 576 * 0x1p-24 * largest })
    }
  }
}
