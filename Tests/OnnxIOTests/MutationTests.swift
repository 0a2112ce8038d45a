// SPDX-License-Identifier: Apache-2.0
import Foundation
import GraphIR
import OnnxIO
import TensorCore
import Testing

@Suite("Changed bytes never crash the reader")
struct MutationTests {
  /// A small model with every construct that the reader treats differently.
  private static let seedModel: [UInt8] = {
    let body = WireMessage { function in
      function.string(1, "F")
      function.string(4, "a")
      function.string(5, "b")
      function.string(6, "s")
      function.message(
        7,
        .node(
          "LeakyRelu", ["a"], ["b"],
          attributes: [.attribute("alpha", reference: "s", type: 1)]))
      function.message(9) { $0.varint(2, 17) }
      function.string(10, "my")
    }
    let branch = WireMessage { graph in
      graph.message(1, .node("Add", ["w", "r"], ["inner"]))
      graph.add(output: .value("inner", dims: [4]))
    }
    let other = WireMessage { graph in
      graph.message(1, .node("Sub", ["w", "r"], ["inner"]))
      graph.add(output: .value("inner", dims: [4]))
    }
    return WireMessage.model(functions: [body], domains: [("my", 1)]) { graph in
      graph.add(input: .value("x", dims: ["N", 3, 4, 4]))
      graph.add(input: .value("flag", type: 9))
      graph.add(
        initializer: .tensor("w", type: 1, dims: [2, 3, 1, 1]) {
          $0.data(9, [UInt8](repeating: 63, count: 24))
        })
      graph.add(initializer: .tensor("z", type: 22, dims: [3]) { $0.data(9, [1, 2]) })
      graph.add(
        node: .node(
          "Conv", ["x", "w"], ["c"], name: "conv",
          attributes: [
            .attribute("strides", ints: [1, 1]), .attribute("pads", ints: [0, 0, 0, 0]),
            .attribute("auto_pad", string: "NOTSET"),
          ]))
      graph.add(
        node: .node("F", ["c"], ["r"], domain: "my", attributes: [.attribute("s", float: 1)]))
      graph.add(
        node: .node(
          "Constant", [], ["k"],
          attributes: [
            .attribute(
              "value",
              tensor: .tensor("", type: 7, dims: [2]) {
                $0.varint(7, 0)
                $0.varint(7, -1)
              })
          ]))
      graph.add(node: .node("Reshape", ["r", "k"], ["s"]))
      graph.add(node: .node("Softmax", ["s"], ["t"], attributes: [.attribute("axis", int: 1)]))
      graph.add(
        node: .node(
          "If", ["flag"], ["u"],
          attributes: [
            .attribute("then_branch", graph: branch), .attribute("else_branch", graph: other),
          ]))
      graph.add(output: .value("t", dims: ["N", 32]))
      graph.add(output: .value("u", dims: [4]))
    }
  }()

  private func mutated(_ bytes: [UInt8], _ random: inout RandomSource) -> [UInt8] {
    var result = bytes
    for _ in 0...random.nextIndex(below: 4) {
      guard !result.isEmpty else { return result }
      let place = random.nextIndex(below: result.count)
      switch random.nextIndex(below: 5) {
      case 0: result[place] ^= 1 << UInt8(random.nextIndex(below: 8))
      case 1: result[place] = UInt8(random.nextIndex(below: 256))
      case 2: result.removeSubrange(place...)
      case 3: result.remove(at: place)
      default: result.insert(contentsOf: [0xff, 0xff, 0xff, 0xff, 0x0f], at: place)
      }
    }
    return result
  }

  /// Reads; what can be read must also be written and read again.
  private func check(_ bytes: [UInt8]) throws {
    do {
      let graph = try OnnxModel.read(bytes)
      do {
        let again = try OnnxModel.read(try OnnxModel.serialized(graph))
        #expect(again.nodes.count >= graph.nodes.count)
      } catch OnnxError.unexportable {}
    } catch OnnxError.invalid(_, let problem) {
      #expect(!problem.description.isEmpty)
    }
  }

  @Test("The model is whole before it is changed")
  func seed() throws {
    let graph = try OnnxModel.read(Self.seedModel)
    #expect(graph.nodes.map(\.op.kind) == ["Conv", "LeakyRelu", "Reshape", "Softmax", "If"])
    try check(Self.seedModel)
  }

  @Test("Every truncation", .timeLimit(.minutes(1)))
  func truncations() throws {
    for length in 0..<Self.seedModel.count { try check(Array(Self.seedModel.prefix(length))) }
  }

  @Test("Random changes", .timeLimit(.minutes(2)), arguments: 0..<8)
  func randomChanges(_ seed: UInt64) throws {
    var random = RandomSource(seed: seed)
    for _ in 0..<500 { try check(mutated(Self.seedModel, &random)) }
  }

  @Test(
    "Random changes of a stored network", .timeLimit(.minutes(2)),
    .enabled(if: SharedData.isThere, "no ../shared/data"),
    arguments: SharedData.models(in: "exports").filter {
      ["controlflow-ts17", "customop-function-dynamo18", "encoder-int4-qdq", "misc-ts10-dyn"]
        .contains($0.deletingPathExtension().lastPathComponent)
    })
  func storedNetwork(_ url: URL) throws {
    let bytes = [UInt8](try Data(contentsOf: url))
    var random = RandomSource(seed: 7)
    for _ in 0..<200 { try check(mutated(bytes, &random)) }
  }
}
