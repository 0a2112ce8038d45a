// SPDX-License-Identifier: Apache-2.0
import GraphIR
import GraphPasses
import TensorCore
import Testing

@Suite("Networks of 16-bit floating-point numbers compute in 32 bits")
struct WidenHalfPrecisionTests {
  /// A convolution, an activation, a comparison with zero and a product with its outcome.
  private func graph(_ type: ElementType) -> Graph {
    var random = RandomSource(seed: 5)
    func reals(_ shape: [Int]) -> Tensor {
      Tensor(
        (0..<shape.reduce(1, *)).map { _ in Float(random.nextUniform() * 2 - 1) }, shape: shape
      ).converted(to: type)
    }
    var graph = Graph()
    let x = graph.addInput(name: "x", type: TensorType(type, shape: [2, 3, 6, 6]))
    let weight = graph.addConstant(reals([4, 3, 3, 3]), name: "weight")
    let y = graph.addNode(Conv(), name: "conv", inputs: [x, weight], outputNames: ["y"])[0]
    let z = graph.addNode(Unary(.hardSwish), name: "act", inputs: [y], outputNames: ["z"])[0]
    let zero = graph.addConstant(Tensor(scalar: Float(0)).converted(to: type), name: "zero")
    let mask = graph.addNode(Binary(.greater), inputs: [z, zero], outputNames: ["mask"])[0]
    let kept = graph.addNode(Where(), inputs: [mask, z, zero], outputNames: ["kept"])[0]
    graph.markOutput(kept)
    graph.inferTypes()
    return graph
  }

  @Test(
    "Products read 32-bit weights, inputs and outputs stay as they are",
    arguments: [ElementType.float16, .bfloat16])
  func widened(type: ElementType) throws {
    let graph = graph(type)
    let wide = try PassPipeline.singlePrecision.run(graph).graph
    let conv = try #require(wide.nodes.first { $0.op is Conv })
    #expect(conv.inputs.allSatisfy { wide.type($0)?.elementType == .float32 })
    #expect(wide.constant(conv.inputs[1]) != nil)
    let activation = try #require(wide.nodes.first { $0.op is Unary })
    #expect(activation.inputs == conv.outputs)
    #expect(wide.type(wide.inputs[0])?.elementType == type)
    #expect(wide.type(wide.outputs[0])?.elementType == type)
  }

  @Test(
    "What it computes differs by the rounding that is left out",
    arguments: [(ElementType.float16, 11), (.bfloat16, 8)])
  func meaning(type: ElementType, bits: Int) throws {
    let graph = graph(type)
    let wide = try PassPipeline.singlePrecision.run(graph).graph
    var random = RandomSource(seed: 6)
    let input = Tensor(
      (0..<216).map { _ in Float(random.nextUniform() * 2 - 1) }, shape: [2, 3, 6, 6]
    ).converted(to: type)
    let before = try Interpreter(graph).run(["x": input])[0]
    let after = try Interpreter(wide).run(["x": input])[0]
    #expect(after.elementType == type)
    // Three roundings of a sum of 27 products, each at most half a unit in its last place.
    let reach = before.reals().map { abs($0) }.max() ?? 1
    let allowed = 3 * reach * Double(sign: .plus, exponent: -bits, significand: 1)
    #expect(zip(before.reals(), after.reals()).allSatisfy { abs($0 - $1) <= allowed })
  }

  @Test("Networks of 32-bit numbers are left alone")
  func single() throws {
    let graph = graph(.float32)
    #expect(try PassPipeline.singlePrecision.run(graph).reports[0].patches == 0)
  }
}
