// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import GraphIR
import TensorCore
import Testing

@Suite("Codes of 16 bits")
struct WideCodeTests {
  @Test("Quantizing and dequantizing equal the reference", arguments: [ElementType.int16, .uint16])
  func conversions(type: ElementType) throws {
    var oracle = Oracle(seed: 51)
    let scale = Tensor(scalar: Float(6.1e-5))
    let zero = Tensor(integers: [type == .int16 ? -7 : 32000], shape: [], elementType: type)
    // The range ends at about 2, so some values are beyond it.
    let (graph, feeds) = Oracle.graph(
      QuantizeLinear(),
      inputs: [("x", oracle.reals([2, 3, 9, 9], in: -4...4)), (nil, scale), (nil, zero)])
    #expect(try Oracle.difference(graph, feeds) == 0)
    #expect(try !Oracle.implementations(graph).contains("reference"))
    let back = Oracle.graph(
      DequantizeLinear(),
      inputs: [("x", oracle.codes([2, 3, 9, 9], type)), (nil, scale), (nil, zero)])
    #expect(try Oracle.difference(back.0, back.1) < 1e-6)
    #expect(try !Oracle.implementations(back.0).contains("reference"))
  }

  @Test(
    "A convolution between 16-bit codes is computed on reals",
    arguments: [ElementType.int16, .uint16])
  func convolution(type: ElementType) throws {
    var oracle = Oracle(seed: 52)
    let zero: Int32 = type == .int16 ? 0 : 32768
    let step = Fused(
      root: Conv(padding: .explicit([1, 1, 1, 1])), rootInputCount: 2,
      inputCodes: [
        LinearCode(elementType: type, scales: [6e-5], zeroPoints: [zero]),
        LinearCode(elementType: .int8, scales: [0.01], zeroPoints: [0]),
      ], stages: [.activation(.relu)],
      outputCode: LinearCode(elementType: type, scales: [8e-4], zeroPoints: [zero]))
    let (graph, feeds) = Oracle.graph(
      step,
      inputs: [
        ("x", oracle.codes([2, 8, 7, 7], type)), (nil, oracle.codes([16, 8, 3, 3], .int8)),
      ])
    // Sums of 72 terms in another order, in units of the result.
    #expect(try Oracle.difference(graph, feeds, precision: .fp32) <= 1)
    #expect(try Oracle.difference(graph, feeds) <= 1)
    #expect(try !Oracle.implementations(graph).contains("reference"))
  }
}
