// SPDX-License-Identifier: Apache-2.0
import GraphIR
import OnnxIO
import TensorCore
import Testing

@Suite("A small file takes little time and memory, and what was read can be written and read again")
struct ExpansionTests {
  private func function(_ name: String, _ nodes: [WireMessage]) -> WireMessage {
    WireMessage { function in
      function.string(1, name)
      function.string(4, "a")
      function.string(5, "b")
      for node in nodes { function.message(7, node) }
      function.message(9) { $0.varint(2, 17) }
      function.string(10, "own")
    }
  }

  private func call(_ name: String, _ input: String, _ output: String, as node: String = "")
    -> WireMessage
  {
    .node(name, [input], [output], name: node, domain: "own")
  }

  private func model(_ functions: [WireMessage], _ nodes: [WireMessage]) -> [UInt8] {
    WireMessage.model(functions: functions, domains: [("own", 1)]) { $0.between("x", "y", nodes) }
  }

  @Test("Values of many calls without a name are numbered in linear time", .timeLimit(.minutes(1)))
  func calls() throws {
    let body = function("F", [.node("Neg", ["a"], ["t"]), .node("Neg", ["t"], ["b"])])
    let count = 20_000
    let calls = (0..<count).map { call("F", $0 == 0 ? "x" : "v\($0)", "v\($0 + 1)") }
    let last = WireMessage.node("Neg", ["v\(count)"], ["y"])
    let graph = try OnnxModel.read(model([body], calls + [last]))
    #expect(graph.nodes.count == 2 * count + 1)
    #expect(graph.value(named: "F/t_\(count - 1)") != nil)
  }

  @Test("Functions whose calls multiply a node of many inputs, or a long name, are refused")
  func copies() {
    let wide = function(
      "W", [.node("Concat", [String](repeating: "a", count: 5000), ["b"])])
    func hundred(_ name: String, of inner: String) -> WireMessage {
      function(name, (0..<100).map { call(inner, "a", $0 == 99 ? "b" : "t\($0)") })
    }
    let functions = [wide, hundred("M", of: "W"), hundred("L", of: "M")]
    let tooMany = OnnxError.invalid(
      file: "model", problem: .tooMany(what: "bytes in calls of functions", limit: 1 << 28))
    #expect(throws: tooMany) { try OnnxModel.read(model(functions, [call("L", "x", "y")])) }

    let many = function(
      "N", (0..<2000).map { .node("Neg", ["a"], [$0 == 1999 ? "b" : "t\($0)"]) })
    let name = String(repeating: "n", count: 200_000)
    #expect(throws: tooMany) {
      try OnnxModel.read(model([many], [call("N", "x", "y", as: name)]))
    }
  }

  @Test("Inferred extents beyond what a file may declare are not written")
  func inferredExtents() throws {
    let bytes = WireMessage.model { graph in
      graph.add(input: .value("x", dims: [4, 6]))
      graph.add(
        initializer: .tensor("pads", type: 7, dims: [4]) { tensor in
          for pad in [0, 1 << 32, 0, 1 << 32] { tensor.varint(7, Int64(pad)) }
        })
      graph.add(node: .node("Pad", ["x", "pads"], ["wide"], name: "pad"))
      graph.add(node: .node("Transpose", ["wide"], ["t"]))
      graph.add(node: .node("Neg", ["t"], ["y"]))
      graph.add(output: WireMessage { $0.string(1, "y") })
    }
    var graph = try OnnxModel.read(bytes)
    #expect(graph.inferTypes().isEmpty)
    #expect(graph.value(named: "wide").flatMap { graph.type($0)?.shape } == [4, (1 << 33) + 6])
    _ = try OnnxModel.read(OnnxModel.serialized(graph))

    let beyond = WireMessage.model { graph in
      graph.add(input: .value("x", dims: [4, 6]))
      graph.add(
        initializer: .tensor("pads", type: 7, dims: [4]) { tensor in
          for pad in [Int](repeating: 1 << 32, count: 4) { tensor.varint(7, Int64(pad)) }
        })
      graph.add(node: .node("Pad", ["x", "pads"], ["wide"], name: "pad"))
      graph.add(node: .node("Neg", ["wide"], ["y"]))
      graph.add(output: WireMessage { $0.string(1, "y") })
    }
    graph = try OnnxModel.read(beyond)
    let issues = graph.inferTypes()
    #expect(issues.map(\.node) == ["pad"])
    #expect(issues.first?.error == .tooLarge(shape: [(1 << 33) + 4, (1 << 33) + 6]))
    _ = try OnnxModel.read(OnnxModel.serialized(graph))
  }
}
