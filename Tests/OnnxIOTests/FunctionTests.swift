// SPDX-License-Identifier: Apache-2.0
import GraphIR
import OnnxIO
import TensorCore
import Testing

@Suite("Model-local functions are inlined")
struct FunctionTests {
  private func function(
    _ name: String, inputs: [String], outputs: [String], attributes: [String] = [],
    nodes: [WireMessage]
  ) -> WireMessage {
    WireMessage { function in
      function.string(1, name)
      for input in inputs { function.string(4, input) }
      for output in outputs { function.string(5, output) }
      for attribute in attributes { function.string(6, attribute) }
      for node in nodes { function.message(7, node) }
      function.message(9) { $0.varint(2, 17) }
      function.string(10, "my.domain")
    }
  }

  private func call(_ name: String, _ inputs: [String], _ outputs: [String], as node: String = "")
    -> WireMessage
  {
    .node(name, inputs, outputs, name: node, domain: "my.domain")
  }

  @Test("Inside each other, with attributes of the call, and with names made unique")
  func nested() throws {
    let leaky = function(
      "Leaky", inputs: ["a"], outputs: ["b"], attributes: ["slope"],
      nodes: [
        .node("Neg", ["a"], ["t"], name: "first"),
        .node(
          "LeakyRelu", ["t"], ["b"],
          attributes: [.attribute("alpha", reference: "slope", type: 1)]),
      ])
    let twice = function(
      "Twice", inputs: ["a"], outputs: ["b"],
      nodes: [
        .node(
          "Leaky", ["a"], ["m"], name: "one", domain: "my.domain",
          attributes: [.attribute("slope", float: 0.5)]),
        call("Leaky", ["m"], ["b"], as: "two"),
      ])
    let bytes = WireMessage.model(functions: [leaky, twice], domains: [("my.domain", 1)]) {
      $0.between(
        "x", "y", [call("Twice", ["x"], ["h"], as: "p"), call("Twice", ["h"], ["y"], as: "p")])
    }
    let graph = try OnnxModel.read(bytes)
    #expect(
      graph.nodes.map(\.op.kind) == Array(repeating: ["Neg", "LeakyRelu"], count: 4).flatMap { $0 })
    #expect(graph.nodes[0].name == "p/one/first")
    #expect(graph.nodes[1].op.isEqual(to: Unary(.leakyRelu(alpha: 0.5))))
    #expect(graph.nodes[3].op.isEqual(to: Unary(.leakyRelu(alpha: 0.01))))
    #expect(graph.metadata.otherOpsets.isEmpty)
    #expect(graph.value(named: "p/m") != nil && graph.value(named: "p/m_1") != nil)
    try Verifier.verify(graph)
  }

  @Test("An output that is an input becomes a copy, a left-out output is computed all the same")
  func passThrough() throws {
    let pair = function(
      "Pair", inputs: ["a", "unused"], outputs: ["a", "n"], nodes: [.node("Neg", ["a"], ["n"])])
    let bytes = WireMessage.model(functions: [pair]) {
      $0.between("x", "y", [call("Pair", ["x"], ["y"])])
    }
    let graph = try OnnxModel.read(bytes)
    #expect(graph.nodes.map(\.op.kind) == ["Identity", "Neg"])
    try Verifier.verify(graph)
  }

  @Test("A function that calls itself is refused, and so is one that grows without bound")
  func recursion() {
    let endless = function("F", inputs: ["a"], outputs: ["b"], nodes: [call("F", ["a"], ["b"])])
    let bytes = WireMessage.model(functions: [endless]) {
      $0.between("x", "y", [call("F", ["x"], ["y"])])
    }
    #expect(
      throws: OnnxError.invalid(file: "model", problem: .recursiveFunction(name: "F", depth: 32))
    ) { try OnnxModel.read(bytes) }
    let doubling = (0..<30).map { level in
      function(
        "F\(level)", inputs: ["a"], outputs: [],
        nodes: level == 0 ? [] : Array(repeating: call("F\(level - 1)", ["a"], []), count: 2))
    }
    let many = WireMessage.model(functions: doubling) {
      $0.between("x", "y", [call("F29", ["x"], []), .node("Neg", ["x"], ["y"])])
    }
    #expect(
      throws: OnnxError.invalid(file: "model", problem: .tooMany(what: "nodes", limit: 5000))
    ) { try OnnxModel.read(many, limits: OnnxLimits(nodes: 5000)) }
  }

  @Test("A call with more inputs than the function takes is refused")
  func arity() {
    let negated = function(
      "N", inputs: ["a"], outputs: ["b"], nodes: [.node("Neg", ["a"], ["b"])])
    let bytes = WireMessage.model(functions: [negated]) {
      $0.between("x", "y", [call("N", ["x", "x"], ["y"], as: "n")])
    }
    #expect(
      throws: OnnxError.invalid(
        file: "model",
        problem: .wrongFunctionArity(
          function: "N", node: "n", what: "inputs", found: 2, limit: 1))
    ) { try OnnxModel.read(bytes) }
  }
}
