// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Operators that ONNX Runtime adds mean what their parts mean")
struct ContributedTests {
  private let scale = Tensor(scalar: Float(0.5))
  private let zero = Tensor(scalar: UInt8(128))

  private func codes(_ values: [UInt8], _ shape: [Int]? = nil) -> Tensor {
    Tensor(values, shape: shape ?? [values.count])
  }

  @Test("Operators on codes")
  func quantized() throws {
    // 130 and 132 stand for 1 and 2; the results are in steps of 1.
    let (a, b) = (codes([130]), codes([132]))
    let one = Tensor(scalar: Float(1))
    let pair = [a, scale, zero, b, scale, zero, one, zero]
    #expect(try QuantizedFunction(.add).results(pair) == [codes([131])])
    #expect(try QuantizedFunction(.multiply).results(pair) == [codes([130])])
    let joined = QuantizedFunction(.concat(axis: 0))
    #expect(
      try joined.results([one, zero, a, scale, zero, b, scale, zero]) == [codes([129, 130])])
    let pool = QuantizedFunction(.globalAveragePool)
    #expect(
      try pool.result(codes([130, 134], [1, 1, 2]), scale, zero, one, zero)
        == codes([130], [1, 1, 1]))
    let condition = Tensor([UInt8(0)], shape: [1]).converted(to: .bool)
    #expect(
      try QuantizedFunction(.select).results([condition] + pair) == [codes([130])])
    #expect(throws: OpError.self) { try QuantizedFunction(.add).result(a) }
  }

  @Test("A product of codes with a bias, real or quantized again")
  func gemm() throws {
    let bias = Tensor([Int32(4)], shape: [1])
    let operands = [
      codes([130], [1, 1]), scale, zero, codes([132], [1, 1]), scale, zero, bias,
    ]
    // 1 · 2 + 4 · ¼
    #expect(try QuantizedGemm().results(operands) == [floats([3], [1, 1])])
    #expect(
      try QuantizedGemm().results(operands + [Tensor(scalar: Float(1)), zero])
        == [codes([131], [1, 1])])
    #expect(throws: OpError.self) { try QuantizedGemm().results(Array(operands.prefix(5))) }
  }

  @Test("Weights of four bits in blocks, low bits first")
  func blocks() throws {
    // Column 0: codes 9, 8, 10 (blocks of two); column 1: 7, 8, 8.
    let packed = codes([0x89, 0x0a, 0x87, 0x08], [2, 2, 1])
    let scales = floats([1, 2, 10, 1], [2, 2])
    let op = BlockQuantizedProduct(rows: 3, columns: 2, blockSize: 2)
    let x = floats([1, 1, 1], [1, 3])
    #expect(try op.result(x, packed, scales) == floats([5, -10], [1, 2]))
    let points = codes([0x89, 0x88])
    #expect(try op.result(x, packed, scales, points) == floats([3, -10], [1, 2]))
    let real = floats([8, 8, 8, 8], [2, 2])
    #expect(try op.result(x, packed, scales, real) == floats([5, -10], [1, 2]))
    #expect(throws: OpError.self) { try op.result(x, codes([1]), scales) }
    #expect(throws: OpError.self) {
      try BlockQuantizedProduct(rows: 3, columns: 2, bits: 3, blockSize: 2)
        .result(x, packed, scales)
    }
  }

  @Test("Joined operators")
  func fused() throws {
    let conv = FusedFunction(.conv(Conv(), activation: .relu))
    let x = floats([1, -2], [1, 1, 2])
    #expect(
      try conv.result(x, floats([1], [1, 1, 1]), nil, floats([0.5, 0.5], [1, 1, 2]))
        == floats([1.5, 0], [1, 1, 2]))
    let product = FusedFunction(.matMul(alpha: 2, transposesA: false, transposesB: true))
    #expect(
      try product.result(floats([1, 2], [1, 2]), floats([3, 4], [1, 2])) == floats([22], [1, 1]))
    let sums = try FusedFunction(.skipLayerNormalization(epsilon: 0)).results(
      [floats([0, 1]), floats([1, 2]), floats([1, 1]), floats([0, 1])], count: 1)
    #expect(sums == [floats([-1, 2])])
    #expect(throws: OpError.missingInput(name: "W")) { try conv.result(x, nil) }
  }
}
