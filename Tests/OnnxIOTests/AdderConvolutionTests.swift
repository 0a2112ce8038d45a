// SPDX-License-Identifier: Apache-2.0
import GraphIR
import OnnxIO
import TensorCore
import Testing

@Suite("Adder convolutions are written as functions and read as what they are")
struct AdderConvolutionTests {
  /// Two layers with different geometries, and a third like the first.
  private func network() -> Graph {
    var graph = Graph(name: "adders")
    graph.metadata.opset = 9
    var value = graph.addInput(
      name: "x", type: TensorType(.float32, [.symbol("N"), .fixed(2), .fixed(6), .fixed(5)]))
    let layers: [(AdderConv, [Int])] = [
      (AdderConv(padding: .explicit([1, 1, 1, 1])), [2, 2, 3, 3]),
      (AdderConv(strides: [2, 1], padding: .explicit([0, 1, 0, 0])), [3, 2, 2, 1]),
      (AdderConv(padding: .explicit([1, 1, 1, 1])), [2, 3, 3, 3]),
    ]
    var random = RandomSource(seed: 5)
    for (index, (op, shape)) in layers.enumerated() {
      let weights = (0..<shape.reduce(1, *)).map { _ in Float(random.nextUniform() - 0.5) }
      let weight = graph.addConstant(Tensor(weights, shape: shape), name: "weight\(index)")
      value =
        graph.addNode(
          op, name: "layer\(index)", inputs: [value, weight], outputNames: ["y\(index)"])[0]
    }
    graph.markOutput(value)
    graph.inferTypes()
    return graph
  }

  @Test("The operators, their attributes and weights come back")
  func roundTrip() throws {
    let graph = network()
    let bytes = try OnnxModel.serialized(graph)
    let again = try OnnxModel.read(bytes)
    #expect(again.nodes.map(\.op.kind) == ["AdderConv", "AdderConv", "AdderConv"])
    #expect(again.metadata.opset == 13)
    let first = try #require(again.nodes[0].op as? AdderConv)
    #expect(first == AdderConv(strides: [1, 1], padding: .explicit([1, 1, 1, 1])))
    let second = try #require(again.nodes[1].op as? AdderConv)
    #expect(second == AdderConv(strides: [2, 1], padding: .explicit([0, 1, 0, 0])))
    #expect(again.constant(again.nodes[2].inputs[1]) == graph.constant(graph.nodes[2].inputs[1]))
    #expect(try OnnxModel.serialized(again) == bytes)
    try Verifier.verify(again)
  }

  @Test("Layers of one geometry share a function, which the operator sets declare")
  func functions() throws {
    let bytes = try OnnxModel.serialized(network())
    func occurrences(_ name: String) -> Int { bytes.ranges(of: Array(name.utf8)).count }
    // A definition and the calls.
    #expect(occurrences("AdderConv_3x3_1x1_1x1x1x1") == 3)
    #expect(occurrences("AdderConv_2x1_2x1_0x1x0x0") == 2)
  }

  /// The function's body, read under a name that is not ours, gives what the operator means.
  @Test("The body of the function computes the operator")
  func body() throws {
    let graph = network()
    var bytes = try OnnxModel.serialized(graph)
    // Same length, so that the file stays whole.
    for (from, to) in [("swiftlet", "elsewhat"), ("AdderConv_", "AdderBody_")] {
      bytes = bytes.replacing(Array(from.utf8), with: Array(to.utf8))
    }
    let inlined = try OnnxModel.read(bytes)
    #expect(!inlined.nodes.contains { $0.op is AdderConv || $0.op is Opaque })
    var random = RandomSource(seed: 6)
    let shape = [2, 2, 6, 5]
    let x = Tensor((0..<120).map { _ in Float(random.nextUniform() - 0.5) }, shape: shape)
    let expected = try Interpreter(graph).run(["x": x])
    let found = try Interpreter(inlined).run(["x": x])
    #expect(found[0].shape == expected[0].shape)
    for (value, exact) in zip(found[0].floats(), expected[0].floats()) {
      // Three layers of sums of up to 27 terms of one sign, each term and sum rounded.
      #expect(abs(value - exact) <= abs(exact) * 3 * 30 * 0x1p-24)
    }
  }

  @Test("Automatic padding is resolved where the extents are known, and refused where not")
  func automaticPadding() throws {
    func graph(_ extent: Dimension) -> Graph {
      var graph = Graph(name: "automatic")
      let x = graph.addInput(
        name: "x", type: TensorType(.float32, [.fixed(1), .fixed(1), extent, extent]))
      let w = graph.addConstant(
        Tensor([Float](repeating: 1, count: 9), shape: [1, 1, 3, 3]), name: "w")
      let y = graph.addNode(
        AdderConv(strides: [2, 2], padding: .sameUpper), name: "layer", inputs: [x, w],
        outputNames: ["y"])
      graph.markOutput(y[0])
      return graph
    }
    let again = try OnnxModel.read(try OnnxModel.serialized(graph(.fixed(6))))
    #expect(
      again.nodes[0].op.isEqual(
        to: AdderConv(strides: [2, 2], padding: .explicit([0, 0, 1, 1]))))
    let error = #expect(throws: OnnxError.self) {
      try OnnxModel.serialized(graph(.symbol("H")))
    }
    #expect("\(String(describing: error))".contains("layer"))
  }
}
