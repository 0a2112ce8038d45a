// SPDX-License-Identifier: Apache-2.0
import GraphIR
import OnnxIO
import TensorCore
import Testing

@Suite("Graphs inside nodes are read, and written back")
struct ControlFlowTests {
  /// A model with an `If` whose branches have the given nodes; each ends in `result`.
  private func branching(then: [WireMessage], else other: [WireMessage]) -> [UInt8] {
    func branch(_ nodes: [WireMessage]) -> WireMessage {
      WireMessage { graph in
        graph.string(2, "branch")
        for node in nodes { graph.message(1, node) }
        graph.add(output: .value("result", dims: [4]))
      }
    }
    return WireMessage.model { graph in
      graph.add(input: .value("x", dims: [4]))
      graph.add(input: .value("flag", type: 9))
      graph.add(initializer: .tensor("outer", type: 1, dims: [1]) { $0.float(4, 2) })
      let attributes: [WireMessage] = [
        .attribute("then_branch", graph: branch(then)),
        .attribute("else_branch", graph: branch(other)),
      ]
      graph.add(node: .node("If", ["flag"], ["y"], name: "choice", attributes: attributes))
      graph.add(output: .value("y", dims: [4]))
    }
  }

  private func run(_ graph: Graph, flag: Bool) throws -> Tensor {
    let outputs = try Interpreter(graph).run([
      "x": Tensor([Float(1), 2, 3, 4], shape: [4]),
      "flag": Tensor(scalar: UInt8(flag ? 1 : 0)).converted(to: .bool),
    ])
    return outputs[0]
  }

  private var scaling: [UInt8] {
    branching(
      then: [.node("Mul", ["x", "outer"], ["inner"]), .node("Neg", ["inner"], ["result"])],
      else: [.node("Abs", ["x"], ["result"])])
  }

  @Test("Branches take values from around them, which become inputs of the node")
  func branches() throws {
    let graph = try OnnxModel.read(scaling)
    let node = try #require(graph.nodes.first)
    #expect(node.op is If)
    #expect(node.inputs.map { $0.map { graph[$0].name } } == ["flag", "x", "outer"])
    #expect(try run(graph, flag: true).floats() == [-2, -4, -6, -8])
    #expect(try run(graph, flag: false).floats() == [1, 2, 3, 4])
    let again = try OnnxModel.read(try OnnxModel.serialized(graph))
    #expect(differences(graph, again) == [])
    #expect(try run(again, flag: true).floats() == [-2, -4, -6, -8])
  }

  @Test("A captured value that is replaced has its new name inside")
  func renaming() throws {
    let graph = try OnnxModel.read(scaling)
    var patch = GraphPatch(of: graph)
    let other = patch.addConstant(Tensor([Float(5)], shape: [1]), name: "inner")
    patch.replace(try #require(graph.value(named: "outer")), with: other)
    let again = try OnnxModel.read(try OnnxModel.serialized(try graph.applying(patch)))
    #expect(again.value(named: "outer") == nil)
    #expect(try run(again, flag: true).floats() == [-5, -10, -15, -20])
  }

  @Test("A branch that only passes a value on, or a constant, is written with a node")
  func passing() throws {
    var body = Graph(name: "branch")
    body.setOutputs([body.addInput(name: "v", type: TensorType(.float32, shape: [4]))])
    var graph = try OnnxModel.read(scaling)
    let node = try #require(graph.nodes.first)
    var constant = body
    constant.setOutputs([
      constant.addConstant(Tensor([Float(7), 7, 7, 7], shape: [4]), name: "k")
    ])
    let x = try #require(graph.value(named: "x"))
    graph = try {
      var patch = GraphPatch(of: graph)
      patch.remove(node)
      patch.addNode(
        If(then: Subgraph(body), else: Subgraph(constant)), name: "choice",
        inputs: [node.inputs[0], x], outputs: node.outputs)
      return try graph.applying(patch)
    }()
    let again = try OnnxModel.read(try OnnxModel.serialized(graph))
    #expect(try run(again, flag: true).floats() == [1, 2, 3, 4])
    #expect(try run(again, flag: false).floats() == [7, 7, 7, 7])
  }

  @Test("An unknown operator inside makes the node unknown, and is named")
  func unknown() throws {
    let bytes = branching(
      then: [.node("Strange", ["x"], ["result"])], else: [.node("Abs", ["x"], ["result"])])
    let op = try #require(try OnnxModel.read(bytes).nodes.first?.op as? Opaque)
    #expect(op.reason == "operator Strange inside it is unsupported")
  }

  @Test("Loops and scans round-trip")
  func loops() throws {
    let body = WireMessage { graph in
      graph.string(2, "body")
      graph.add(input: .value("i", type: 7))
      graph.add(input: .value("on", type: 9))
      graph.add(input: .value("sum", dims: [4]))
      graph.message(1, .node("Identity", ["on"], ["next"]))
      graph.message(1, .node("Add", ["sum", "x"], ["total"]))
      for (name, type) in [("next", Int64(9)), ("total", 1)] {
        graph.add(output: .value(name, type: type, dims: type == 9 ? [] : [4]))
      }
      graph.message(1, .node("Identity", ["total"], ["row"]))
      graph.add(output: .value("row", dims: [4]))
    }
    let step = WireMessage { graph in
      graph.string(2, "step")
      graph.add(input: .value("state", dims: [4]))
      graph.add(input: .value("row", dims: [4]))
      graph.message(1, .node("Add", ["state", "row"], ["new"]))
      graph.add(output: .value("new", dims: [4]))
    }
    let bytes = WireMessage.model { graph in
      graph.add(input: .value("x", dims: [4]))
      graph.add(initializer: .tensor("count", type: 7, dims: []) { $0.varint(7, 3) })
      graph.add(
        node: .node(
          "Loop", ["count", "", "x"], ["last", "rows"],
          attributes: [.attribute("body", graph: body)]))
      graph.add(
        node: .node(
          "Scan", ["last", "rows"], ["y"],
          attributes: [
            .attribute("body", graph: step), .attribute("num_scan_inputs", int: 1),
            .attribute("scan_input_directions", ints: [1]),
          ]))
      graph.add(output: .value("y", dims: [4]))
    }
    let graph = try OnnxModel.read(bytes)
    #expect(graph.nodes.map(\.op.kind) == ["Loop", "Scan"])
    #expect(graph.nodes[0].inputs.count == 4)
    let again = try OnnxModel.read(try OnnxModel.serialized(graph))
    #expect(differences(graph, again) == [])
    let x = Tensor([Float(1), 0, 0, 0], shape: [4])
    // 4 at last, and 2 + 3 + 4 over the rows.
    #expect(try Interpreter(again).run(["x": x])[0].floats()[0] == 13)
  }
}
