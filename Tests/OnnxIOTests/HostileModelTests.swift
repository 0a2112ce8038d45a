// SPDX-License-Identifier: Apache-2.0
import Foundation
import GraphIR
import OnnxIO
import TensorCore
import Testing

@Suite("A damaged or hostile model is an error that says where and what")
struct HostileModelTests {
  private func problem(_ bytes: [UInt8]) -> OnnxProblem? {
    do { _ = try OnnxModel.read(bytes) } catch OnnxError.invalid(_, let problem) {
      return problem
    } catch { return nil }
    return nil
  }

  private func problem(between nodes: [WireMessage]) -> OnnxProblem? {
    problem(WireMessage.model { $0.between("x", "y", nodes) })
  }

  @Test("No model at all")
  func noModel() {
    #expect(problem([]) == .noGraph)
    #expect(problem(Array("hello, world".utf8)) != nil)
    #expect(problem([0x3a, 0x7f]) == .malformed(reason: "it ends in the middle of a message"))
    #expect(throws: OnnxError.unreadable(file: "/absent", reason: "No such file or directory")) {
      try OnnxModel.read(contentsOf: URL(fileURLWithPath: "/absent"))
    }
    #expect(throws: OnnxError.unreadable(file: "/", reason: "not a plain file")) {
      try OnnxModel.read(contentsOf: URL(fileURLWithPath: "/"))
    }
    #expect(
      throws: OnnxError.invalid(file: "model", problem: .fileTooLarge(bytes: 5, limit: 4))
    ) { try OnnxModel.read([1, 2, 3, 4, 5], limits: OnnxLimits(fileBytes: 4)) }
  }

  @Test("Cycles, values that are defined twice or never")
  func structure() {
    #expect(
      problem(between: [
        .node("Add", ["x", "b"], ["a"], name: "one"), .node("Neg", ["a"], ["b"], name: "two"),
        .node("Neg", ["b"], ["y"], name: "three"),
      ]).map { if case .cycle = $0 { true } else { false } } == true)
    #expect(problem(between: [.node("Neg", ["y"], ["y"])]) == .cycle(nodes: [""]))
    #expect(
      problem(between: [.node("Neg", ["x"], ["y"]), .node("Abs", ["x"], ["y"])])
        == .definedTwice(value: "y"))
    #expect(problem(between: [.node("Neg", ["x"], ["x"])]) == .definedTwice(value: "x"))
    #expect(
      problem(between: [.node("Neg", ["z"], ["y"], name: "n")])
        == .undefinedValue(value: "z", user: "node \"n\""))
    #expect(problem(between: []) == .undefinedValue(value: "y", user: "the list of outputs"))
    #expect(problem(between: [.node("", ["x"], ["y"])]) == .emptyOperator(node: "y"))
  }

  @Test("Nodes in any order are accepted")
  func order() throws {
    let bytes = WireMessage.model {
      $0.between("x", "y", [.node("Neg", ["a"], ["y"]), .node("Abs", ["x"], ["a"])])
    }
    #expect(try OnnxModel.read(bytes).nodes.map(\.op.kind) == ["Abs", "Neg"])
  }

  @Test("Attributes of the wrong type, missing, out of range, given twice")
  func attributes() {
    func error(_ kind: String, _ attributes: WireMessage...) -> OpError? {
      let node = WireMessage.node(kind, ["x"], ["y"], name: "n", attributes: attributes)
      guard case .invalidNode("n", kind, let error) = problem(between: [node]) else { return nil }
      return error
    }
    #expect(
      error("Concat", .attribute("axis", float: 1))
        == .invalidAttribute(name: "axis", found: "of type float", expected: "an integer"))
    #expect(
      error("Concat") == .invalidAttribute(name: "axis", found: "missing", expected: "an axis"))
    #expect(
      error("Concat", .attribute("axis", int: .max))
        == .invalidAttribute(name: "axis", found: "\(Int.max)", expected: "-64…64"))
    #expect(
      error("Concat", .attribute("axis", int: 0), .attribute("axis", int: 1))
        == .invalidAttribute(name: "axis", found: "given twice", expected: "once"))
    #expect(
      error("Elu", .attribute("alpha", float: .nan))
        == .invalidAttribute(name: "alpha", found: "NaN", expected: "a number"))
    #expect(
      error("MaxPool", .attribute("kernel_shape", ints: [0, 2])) != nil)
    #expect(
      error("Cast", .attribute("to", string: "FLOAT"))
        == .invalidAttribute(name: "to", found: "of type string", expected: "an integer"))
    #expect(error("Pad", .attribute("mode", string: "sideways")) != nil)
    #expect(
      error("Constant", .attribute("value", tensor: .tensor("", type: 1, dims: [9]) { _ in }))
        != nil)
  }

  @Test("Names that are not UTF-8, operator sets that do not exist, deep nesting")
  func encoding() {
    let name = WireMessage.model { graph in
      graph.message(1) { $0.data(4, [0xff, 0xfe]) }
    }
    #expect(problem(name) == .malformed(reason: "a name is not UTF-8"))
    #expect(
      problem(WireMessage.model(opset: 0) { $0.between("x", "y", []) })
        == .invalidOpset(domain: "", version: 0))
    let noOpset = WireMessage { model in
      model.message(7) { $0.between("x", "y", [.node("Neg", ["x"], ["y"], name: "n")]) }
    }
    #expect(problem(noOpset.bytes) == .missingOpset(domain: "", node: "n"))
    var graph = WireMessage { _ in }
    for _ in 0..<200 {
      let inner = graph
      graph = WireMessage { outer in
        outer.message(1, .node("If", [], [], attributes: [.attribute("b", graph: inner)]))
      }
    }
    let deep = WireMessage { $0.message(7, graph) }
    #expect(
      problem(deep.bytes) == .malformed(reason: "messages are nested more than 100 deep"))
  }

  @Test("Declared dimensions: −1 and nothing are unknown, other negatives and giants are refused")
  func dimensions() throws {
    func read(_ dims: [Any?]) throws -> TensorType? {
      let bytes = WireMessage.model { graph in
        graph.add(input: .value("x", dims: dims))
        graph.add(node: .node("Neg", ["x"], ["y"]))
        graph.add(output: WireMessage { $0.string(1, "y") })
      }
      let graph = try OnnxModel.read(bytes)
      return graph.type(graph.inputs.first)
    }
    #expect(
      try read(["N", nil, -1, 3])?.dimensions == [.symbol("N"), .unknown, .unknown, .fixed(3)])
    #expect(
      throws: OnnxError.invalid(
        file: "model", problem: .invalidDimensions(value: "x", dimensions: [-2]))
    ) { try read([-2]) }
    #expect(throws: OnnxError.self) { try read([1 << 40, 1 << 40]) }
  }

  @Test("An input that is a sequence or holds text is refused by name")
  func valueTypes() {
    let text = WireMessage.model { graph in
      graph.add(input: .value("words", type: 8, dims: [1]))
      graph.add(output: .value("words", type: 8, dims: [1]))
    }
    #expect(
      problem(text) == .unsupportedValueType(value: "words", found: "a tensor of string"))
    let sequence = WireMessage.model { graph in
      graph.add(
        input: WireMessage {
          $0.string(1, "list")
          $0.message(2) { type in type.message(4) { _ in } }
        })
    }
    #expect(problem(sequence) == .unsupportedValueType(value: "list", found: "a sequence"))
  }
}
