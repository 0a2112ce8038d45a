// SPDX-License-Identifier: Apache-2.0
import Foundation
import GraphIR
import OnnxIO
import TensorCore
import Testing

@Suite("What is read, written and read again stays the same")
struct RoundTripTests {
  @Test(
    "Stored networks", .enabled(if: SharedData.isThere, "no ../shared/data"),
    arguments: SharedData.models(in: "models") + SharedData.models(in: "exports"))
  func storedNetworks(_ url: URL) throws {
    var graph = try OnnxModel.read(contentsOf: url)
    let bytes = try OnnxModel.serialized(graph)
    let again = try OnnxModel.read(bytes)
    // A file may use a form before the operator set that defines it; writing mends that.
    graph.metadata.opset = max(graph.metadata.opset, try OnnxModel.requiredOpset(graph))
    #expect(differences(graph, again) == [])
    #expect(try OnnxModel.serialized(again) == bytes)
    try Verifier.verify(graph)
  }

  @Test(
    "Convolutional networks of the model folder hold no opaque operator",
    .enabled(if: SharedData.isThere, "no ../shared/data"),
    arguments: SharedData.models(in: "models"))
  func nothingOpaque(_ url: URL) throws {
    let graph = try OnnxModel.read(contentsOf: url)
    #expect(!graph.nodes.isEmpty)
    #expect(!graph.nodes.contains { $0.op is Opaque })
  }

  @Test("Nodes of equal names are written with different ones")
  func equalNames() throws {
    var graph = Graph(name: "g", metadata: GraphMetadata(opset: 17))
    var value = graph.addInput(name: "x", type: TensorType(.float32, shape: [2]))
    for name in ["a", "a_1", "a", "a", "", ""] {
      value = graph.addNode(Unary(.relu), name: name, inputs: [value], outputNames: ["y"])[0]
    }
    graph.setOutputs([value])
    let again = try OnnxModel.read(try OnnxModel.serialized(graph))
    #expect(again.nodes.map(\.name) == ["a", "a_1", "a_2", "a_3", "", ""])
  }

  @Test("Old forms become inputs, and attributes again in the old operator set")
  func oldForms() throws {
    let bytes = WireMessage.model(opset: 9) { graph in
      graph.add(input: .value("x", dims: ["N", 3, 8, 8]))
      graph.add(
        node: .node(
          "Clip", ["x"], ["a"],
          attributes: [.attribute("min", float: 0), .attribute("max", float: 6)]))
      graph.add(
        node: .node(
          "Pad", ["a"], ["b"], attributes: [.attribute("pads", ints: [0, 0, 1, 1, 0, 0, 1, 1])]))
      graph.add(
        node: .node(
          "Slice", ["b"], ["c"],
          attributes: [
            .attribute("starts", ints: [0]), .attribute("ends", ints: [2]),
            .attribute("axes", ints: [1]),
          ]))
      graph.add(node: .node("Split", ["c"], ["d", "e"], attributes: [.attribute("axis", int: 1)]))
      graph.add(
        node: .node("ReduceMean", ["d"], ["f"], attributes: [.attribute("axes", ints: [2, 3])]))
      graph.add(
        node: .node("Squeeze", ["f"], ["g"], attributes: [.attribute("axes", ints: [2, 3])]))
      graph.add(
        node: .node(
          "Upsample", ["e", "scales"], ["h"], attributes: [.attribute("mode", string: "nearest")]))
      graph.add(
        initializer: .tensor("scales", type: 1, dims: [4]) { tensor in
          for scale: Float in [1, 1, 2, 2] { tensor.float(4, scale) }
        })
      graph.add(node: .node("Softmax", ["g"], ["i"]))
      graph.add(output: .value("i", dims: ["N", 1]))
      graph.add(output: .value("h", dims: [nil, 1, 20, 20]))
    }
    let graph = try OnnxModel.read(bytes)
    let clip = try #require(graph.nodes.first)
    #expect(clip.op is Clip)
    #expect(graph.constant(clip.inputs[2])?.floats() == [6])
    #expect(
      graph.nodes.map(\.op.kind) == [
        "Clip", "Pad", "Slice", "Split", "ReduceMean", "Squeeze", "Resize", "Softmax",
      ])
    #expect(
      try OnnxModel.requiredOpset(graph) == 8 || OnnxModel.requiredOpset(graph) == 9
        || OnnxModel.requiredOpset(graph) == 7)
    let again = try OnnxModel.read(try OnnxModel.serialized(graph))
    #expect(differences(graph, again) == [])
    let modern = try OnnxModel.read(
      try OnnxModel.serialized(graph, options: OnnxWriteOptions(opset: 21)))
    #expect(modern.metadata.opset == 21)
    #expect(
      modern.nodes.map(\.op.kind)
        == graph.nodes.dropLast().map(\.op.kind) + ["Shape", "Flatten", "Softmax", "Reshape"])
  }

  @Test("The ratio of a Dropout is an attribute before operator set 12 and an input from it on")
  func dropoutRatio() throws {
    let bytes = WireMessage.model(opset: 9) { graph in
      graph.add(input: .value("x", dims: ["N", 3]))
      graph.add(
        node: .node("Dropout", ["x"], ["y"], attributes: [.attribute("ratio", float: 0.25)]))
      graph.add(output: .value("y", dims: ["N", 3]))
    }
    let graph = try OnnxModel.read(bytes)
    for opset in [9, 21] {
      let again = try OnnxModel.read(
        try OnnxModel.serialized(graph, options: OnnxWriteOptions(opset: opset)))
      let node = try #require(again.nodes.first)
      #expect(again.metadata.opset == opset)
      #expect(node.inputs.count == 2)
      #expect(again.constant(node.inputs[1]) == Tensor(scalar: Float(0.25)))
    }
  }

  @Test("What needs a later operator set raises it")
  func requiredOpset() throws {
    func required(_ op: any Op, type: TensorType, constants: [Tensor] = []) throws -> Int {
      var graph = Graph(name: "g", metadata: GraphMetadata(opset: 11))
      let input = graph.addInput(name: "x", type: type)
      let others = constants.map { graph.addConstant($0, name: "c") }
      graph.setOutputs(graph.addNode(op, inputs: [input] + others, outputNames: ["y"]))
      let least = try OnnxModel.requiredOpset(graph)
      let written = try OnnxModel.read(try OnnxModel.serialized(graph))
      #expect(written.metadata.opset == max(11, least))
      return least
    }
    let image = TensorType(.float32, shape: [1, 2, 4, 4])
    let scale = Tensor(scalar: Float(0.5))
    let scales = Tensor([Float(0.5), 1], shape: [2])
    #expect(try required(Unary(.relu), type: image) == 7)
    #expect(try required(Unary(.hardSwish), type: image) == 14)
    #expect(try required(Unary(.gelu(tanhApproximation: true)), type: image) == 20)
    #expect(try required(Unary(.relu), type: TensorType(.bfloat16, shape: [2])) == 13)
    #expect(
      try required(
        QuantizeLinear(), type: image, constants: [scale, Tensor(scalar: UInt8(3))]) == 10)
    #expect(
      try required(
        QuantizeLinear(axis: 1), type: image,
        constants: [scales, Tensor([Int8(0), 0], shape: [2])]) == 13)
    #expect(
      try required(
        QuantizeLinear(), type: image, constants: [scale, Tensor(scalar: Int16(3))]) == 21)
    let code4 = try Tensor(elementType: .int4, shape: [], bytes: [0])
    #expect(try required(QuantizeLinear(), type: image, constants: [scale, code4]) == 21)
    let code2 = try Tensor(elementType: .uint2, shape: [], bytes: [0])
    #expect(try required(QuantizeLinear(), type: image, constants: [scale, code2]) == 25)
  }

  @Test("Metadata, symbols and unknown dimensions are kept")
  func metadata() throws {
    var metadata = GraphMetadata(opset: 15, otherOpsets: ["com.example": 3])
    metadata.documentation = "words"
    metadata.properties = ["b": "2", "a": "1"]
    var graph = Graph(name: "net", metadata: metadata)
    let input = graph.addInput(
      name: "x", type: TensorType(.float16, [.symbol("N"), .unknown, .fixed(3)]))
    graph.setOutputs(graph.addNode(Identity(), name: "n", inputs: [input], outputNames: ["y"]))
    let again = try OnnxModel.read(try OnnxModel.serialized(graph))
    #expect(differences(graph, again) == [])
    #expect(again.metadata.producerName == "swiftlet")
  }

  @Test("Unused constants are not written")
  func unusedConstants() throws {
    var graph = Graph(name: "g")
    let input = graph.addInput(name: "x", type: TensorType(.float32, shape: [1]))
    _ = graph.addConstant(Tensor(scalar: Float(1)), name: "unused")
    graph.setOutputs(graph.addNode(Identity(), inputs: [input], outputNames: ["y"]))
    let again = try OnnxModel.read(try OnnxModel.serialized(graph))
    #expect(again.value(named: "unused") == nil)
  }

  @Test("An operator without an ONNX form is refused by name")
  func unexportable() throws {
    var graph = Graph(name: "g")
    let input = graph.addInput(name: "x", type: TensorType(.float32, shape: [1]))
    let op = Fused(root: Unary(.relu), rootInputCount: 1)
    graph.setOutputs(graph.addNode(op, name: "n", inputs: [input], outputNames: ["y"]))
    #expect {
      try OnnxModel.serialized(graph)
    } throws: { error in
      guard case .unexportable(_, .notConvertible(node: "n", _, _)) = error as? OnnxError else {
        return false
      }
      return true
    }
  }
}
