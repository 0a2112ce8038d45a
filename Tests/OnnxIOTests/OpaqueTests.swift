// SPDX-License-Identifier: Apache-2.0
import GraphIR
import OnnxIO
import TensorCore
import Testing

@Suite("What is not understood is carried along")
struct OpaqueTests {
  private var branching: [UInt8] {
    let branch = WireMessage { graph in
      graph.string(2, "branch")
      graph.message(1, .node("Add", ["outer", "x"], ["inner"]))
      graph.message(1, .node("Neg", ["inner"], ["result"]))
      graph.add(output: .value("result", dims: [4]))
    }
    return WireMessage.model { graph in
      graph.add(input: .value("x", dims: [4]))
      graph.add(input: .value("flag", type: 9))
      graph.add(
        initializer: .tensor("outer", type: 1, dims: [1]) { $0.float(4, 2) })
      graph.add(
        node: .node(
          "Unread", ["flag"], ["y"], name: "choice",
          attributes: [
            .attribute("then_branch", graph: branch), .attribute("else_branch", graph: branch),
          ]))
      graph.add(output: .value("y", dims: [4]))
    }
  }

  @Test("A node with subgraphs keeps what they capture")
  func captures() throws {
    let graph = try OnnxModel.read(branching)
    let node = try #require(graph.nodes.first)
    let op = try #require(node.op as? Opaque)
    #expect(op.capturedNames == ["outer", "x"])
    #expect(node.inputs.map { $0.map { graph[$0].name } } == ["flag", "outer", "x"])
    let again = try OnnxModel.read(try OnnxModel.serialized(graph))
    #expect(differences(graph, again) == [])
  }

  @Test("A captured value that is replaced is renamed inside the subgraphs")
  func renaming() throws {
    let graph = try OnnxModel.read(branching)
    let outer = try #require(graph.value(named: "outer"))
    var patch = GraphPatch(of: graph)
    let other = patch.addConstant(Tensor([Float(5)], shape: [1]), name: "other")
    patch.replace(outer, with: other)
    let changed = try graph.applying(patch)
    let again = try OnnxModel.read(try OnnxModel.serialized(changed))
    let op = try #require(again.nodes.first?.op as? Opaque)
    #expect(op.capturedNames == ["other", "x"])
    #expect(again.value(named: "outer") == nil)
  }

  @Test("Unknown operators of any domain keep their attributes to the byte")
  func unknown() throws {
    let attributes: [WireMessage] = [
      .attribute("odd", float: .nan), .attribute("zero", int: 0),
      .attribute("list", ints: [1, -2]), .attribute("text", string: ""),
    ]
    let bytes = WireMessage.model(domains: [("com.example", 2)]) {
      $0.between(
        "x", "y",
        [
          .node(
            "Strange", ["x", "", "x", ""], ["y"], domain: "com.example", attributes: attributes)
        ])
    }
    let graph = try OnnxModel.read(bytes)
    let op = try #require(graph.nodes.first?.op as? Opaque)
    #expect(op.attributes == attributes.map(\.bytes))
    #expect(graph.nodes[0].inputs.map { $0 == nil } == [false, true, false])
    #expect(graph.metadata.otherOpsets == ["com.example": 2])
    #expect(differences(graph, try OnnxModel.read(try OnnxModel.serialized(graph))) == [])
  }

  @Test("A known operator with an unknown attribute says why it is not read")
  func unknownAttribute() throws {
    let bytes = WireMessage.model {
      $0.between("x", "y", [.node("Relu", ["x"], ["y"], attributes: [.attribute("new", int: 1)])])
    }
    let op = try #require(try OnnxModel.read(bytes).nodes.first?.op as? Opaque)
    #expect(op.reason == "attribute new is unknown in operator set 17")
  }

  @Test("Inputs that have initializers are constants, constants of all kinds are values")
  func constants() throws {
    let bytes = WireMessage.model { graph in
      graph.add(input: .value("x", dims: [1]))
      graph.add(input: .value("w", dims: [1]))
      graph.add(initializer: .tensor("w", type: 1, dims: [1]) { $0.float(4, 2) })
      let nodes: [WireMessage] = [
        .node("Constant", [], ["a"], attributes: [.attribute("value_float", float: 1.5)]),
        .node("Constant", [], ["b"], attributes: [.attribute("value_ints", ints: [3, 4])]),
        .node("Constant", [], ["c"], attributes: [.attribute("value_int", int: 7)]),
        .node("Constant", [], ["d"], attributes: [.attribute("value_floats", floats: [])]),
        .node("Add", ["x", "w"], ["y"]),
      ]
      for node in nodes { graph.add(node: node) }
      graph.add(output: .value("y", dims: [1]))
    }
    let graph = try OnnxModel.read(bytes)
    #expect(graph.inputs.map { graph[$0].name } == ["x"])
    #expect(graph.nodes.count == 1)
    func constant(_ name: String) -> Tensor? { graph.constant(graph.value(named: name)) }
    #expect(constant("w") == Tensor([Float(2)], shape: [1]))
    #expect(constant("a") == Tensor(scalar: Float(1.5)))
    #expect(constant("b") == Tensor([Int64(3), 4], shape: [2]))
    #expect(constant("c") == Tensor(scalar: Int64(7)))
    #expect(constant("d")?.shape == [0])
  }
}

@Suite("Unread nodes move to later operator sets only if they keep their meaning")
struct OpaqueOpsetTests {
  @Test("Subgraphs take the forms of the operator set that is written")
  func subgraphs() throws {
    let branch = WireMessage { graph in
      graph.string(2, "branch")
      graph.message(
        1, .node("Squeeze", ["x"], ["inner"], attributes: [.attribute("axes", ints: [0])]))
      graph.message(
        1, .node("Constant", [], ["one"], attributes: [.attribute("value_float", float: 1)]))
      graph.message(1, .node("Mul", ["inner", "one"], ["result"]))
      graph.add(output: .value("result", dims: [4]))
    }
    let bytes = WireMessage.model(opset: 12) { graph in
      graph.add(input: .value("x", dims: [1, 4]))
      graph.add(input: .value("flag", type: 9))
      let attributes: [WireMessage] = [
        .attribute("then_branch", graph: branch), .attribute("else_branch", graph: branch),
      ]
      graph.add(node: .node("Unread", ["flag"], ["y"], attributes: attributes))
      graph.add(output: .value("y", dims: [4]))
    }
    let graph = try OnnxModel.read(bytes)
    let later = try OnnxModel.read(
      try OnnxModel.serialized(graph, options: OnnxWriteOptions(opset: 17)))
    let op = try #require(later.nodes.first?.op as? Opaque)
    #expect(op.opset == 17 && op.capturedNames == ["x"])
    let text = String(decoding: op.attributes[0], as: UTF8.self)
    #expect(text.contains("inner_axes") && !text.contains("Constant"))
    #expect(try OnnxModel.requiredOpset(graph) == 12)
  }

  @Test("An operator whose meaning has changed is refused by name")
  func changedMeaning() throws {
    let bytes = WireMessage.model(opset: 18) {
      $0.between(
        "x", "y",
        [
          .node(
            "GroupNormalization", ["x"], ["y"], name: "n",
            attributes: [
              .attribute("num_groups", int: 2), .attribute("no_such_attribute", int: 2),
            ])
        ])
    }
    let graph = try OnnxModel.read(bytes)
    #expect(try OnnxModel.serialized(graph).isEmpty == false)
    #expect(throws: OnnxError.self) {
      try OnnxModel.serialized(graph, options: OnnxWriteOptions(opset: 21))
    }
  }

  /// `Concat` had a standard axis before operator set 4 and has none since.
  @Test("An unread node of an old operator set is refused where a later one asks for more")
  func oldForm() throws {
    let bytes = WireMessage.model(opset: 2) {
      $0.between(
        "x", "y",
        [
          .node(
            "Concat", ["x"], ["y"], name: "joined",
            attributes: [.attribute("no_such_attribute", int: 0)])
        ])
    }
    let graph = try OnnxModel.read(bytes)
    #expect(graph.nodes.first?.op is Opaque)
    let error = #expect(throws: OnnxError.self) { try OnnxModel.serialized(graph) }
    #expect(error?.description.contains("operator set 4") == true)
  }
}
