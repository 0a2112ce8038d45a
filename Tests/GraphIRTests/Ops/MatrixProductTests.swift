// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Matrix products follow their definition")
struct MatrixProductTests {
  let a = floats([1, 2, 3, 4, 5, 6], [2, 3])
  let b = floats([1, 0, 2, 1, 0, 3], [3, 2])

  @Test("Rows times columns")
  func plain() throws {
    #expect(try MatMul().result(a, b) == floats([5, 11, 14, 23], [2, 2]))
  }

  @Test("Vectors stand as a row on the left and as a column on the right")
  func vectors() throws {
    let row = floats([1, 1])
    #expect(try MatMul().result(row, a) == floats([5, 7, 9]))
    #expect(try MatMul().result(a, floats([1, 1, 1])) == floats([6, 15]))
    #expect(try MatMul().result(row, floats([2, 3])) == floats([5], []))
  }

  @Test("Axes before the last two broadcast")
  func batches() throws {
    let left = counting([2, 1, 1, 2])
    let right = counting([3, 2, 1])
    let result = try MatMul().result(left, right)
    #expect(result == floats([1, 3, 5, 3, 13, 23], [2, 3, 1, 1]))
    #expect(throws: OpError.self) { try MatMul().result(counting([2, 1, 2]), right) }
  }

  @Test("Integers are multiplied exactly and wrap")
  func integers() throws {
    let big = Tensor([Int64.max, 2], shape: [1, 2])
    let factors = Tensor([Int64(2), 3], shape: [2, 1])
    #expect(try MatMul().result(big, factors) == Tensor([Int64(4)], shape: [1, 1]))
    let byte = counting([1, 1], .int8)
    #expect(throws: OpError.self) { try MatMul().result(byte, byte) }
  }

  @Test("Seven rows take the block of four and the rest alike")
  func rest() throws {
    let left = counting([7, 3])
    let result = try MatMul().result(left, b).floats()
    for row in 0..<7 {
      let base = Float(3 * row)
      #expect(result[2 * row] == base + 2 * (base + 1))
      #expect(result[2 * row + 1] == base + 1 + 3 * (base + 2))
    }
  }

  @Test("Gemm transposes, scales and adds what broadcasts")
  func gemm() throws {
    #expect(
      try Gemm(alpha: 2, beta: 0.5).result(a, b, floats([2, 4]))
        == floats([11, 24, 29, 48], [2, 2]))
    let column = floats([10, 20], [2, 1])
    #expect(
      try Gemm(transposesA: true, transposesB: true).result(b, a, column)
        == floats([15, 24, 31, 43], [2, 2]))
    #expect(try Gemm().result(a, b, Tensor(scalar: Float(1))).floats() == [6, 12, 15, 24])
    #expect(try Gemm().result(a, b, nil).floats() == [5, 11, 14, 23])
    let integers = try Gemm().result(
      Tensor([Int32(2), 3], shape: [1, 2]), Tensor([Int32(4), 5], shape: [2, 1]),
      Tensor([Int32(-1)], shape: [1]))
    #expect(integers == Tensor([Int32(22)], shape: [1, 1]))
  }

  @Test("Gemm refuses what does not broadcast to the product")
  func gemmErrors() {
    #expect(throws: OpError.self) { try Gemm().result(a, b, counting([3, 2])) }
    #expect(throws: OpError.self) { try Gemm().result(a, b, counting([1, 2, 2])) }
    #expect(throws: OpError.self) { try Gemm().result(a, b, counting([3])) }
    #expect(throws: OpError.self) { try Gemm().result(a, a) }
    #expect(throws: OpError.self) { try Gemm().result(counting([3]), b) }
    #expect(throws: OpError.self) { try Gemm().result(counting([1, 2]), counting([2, 1]), b) }
  }

  @Test("Empty sums are zero")
  func empty() throws {
    #expect(try MatMul().result(counting([2, 0]), counting([0, 1])) == floats([0, 0], [2, 1]))
    #expect(try MatMul().result(counting([0, 2]), counting([2, 3])).shape == [0, 3])
    #expect(throws: OpError.self) { try MatMul().result(Tensor(scalar: Float(1)), b) }
  }

  @Test("Symbols are carried through")
  func types() throws {
    let n = Dimension.symbol("N")
    let keys = operand(.float32, 12, 64, .symbol("L"))
    #expect(
      try MatMul().type(operand(.float32, n, 12, .unknown, 64), keys)?.description
        == "float32 N×12×?×L")
    #expect(
      try Gemm(transposesB: true).type(operand(.float32, n, 64), operand(.float32, 10, 64))?
        .description == "float32 N×10")
    #expect(
      try MatMul().type(Operand(type: TensorType(.float32, nil)), operand(.float32, 1, 1))?
        .description == "float32 ?")
  }

  @Test("The cost is rows times depth times columns")
  func cost() {
    let left = TensorType(.float32, shape: [4, 2, 3])
    let product = TensorType(.float32, shape: [4, 2, 5])
    #expect(MatMul().cost(inputs: [left], outputs: [product])?.multiplyAccumulates == 120)
    let matrix = TensorType(.float32, shape: [3, 2])
    let result = TensorType(.float32, shape: [2, 5])
    let gemm = Gemm(transposesA: true)
    #expect(gemm.cost(inputs: [matrix], outputs: [result])?.multiplyAccumulates == 30)
  }
}

@Suite("Matrix products of integers take zero points away before they multiply")
struct IntegerMatrixProductTests {
  let a = Tensor([UInt8(11), 7, 3, 10, 6, 2, 9, 5, 1, 8, 4, 0], shape: [4, 3])
  let b = Tensor([UInt8(1), 4, 2, 5, 3, 6], shape: [3, 2])

  @Test("The example of the standard")
  func plain() throws {
    let zero = Tensor([UInt8(12)], shape: [1])
    let result = try MatMulInteger().result(a, b, zero, Tensor([UInt8(0)], shape: [1]))
    #expect(
      result == Tensor([Int32(-38), -83, -44, -98, -50, -113, -56, -128], shape: [4, 2]))
  }

  @Test("Zero points may differ by row and by column")
  func vectors() throws {
    let left = Tensor([UInt8(1), 2, 3, 4], shape: [2, 2])
    let right = Tensor([Int8(1), 0, 0, 1], shape: [2, 2])
    let rows = Tensor([UInt8(1), 3], shape: [2])
    #expect(
      try MatMulInteger().result(left, right, rows)
        == Tensor([Int32(0), 1, 0, 1], shape: [2, 2]))
    let columns = Tensor([Int8(0), 1], shape: [2])
    #expect(
      try MatMulInteger().result(left, right, nil, columns)
        == Tensor([Int32(1), -1, 3, -3], shape: [2, 2]))
    #expect(throws: OpError.self) {
      try MatMulInteger().result(left, right, Tensor([UInt8(1), 2, 3], shape: [3]))
    }
    #expect(throws: OpError.self) { try MatMulInteger().result(left, right, columns) }
  }

  @Test("The quantized product rescales by row and column")
  func quantized() throws {
    let left = Tensor([UInt8(3), 5], shape: [2, 1])
    let right = Tensor([Int8(2), 4], shape: [1, 2])
    let result = try QLinearMatMul().result(
      left, floats([1, 0.5]), Tensor([UInt8(1), 1], shape: [2]), right,
      floats([0.5, 1]), Tensor([Int8(0), 0], shape: [2]), Tensor(scalar: Float(2)),
      Tensor(scalar: UInt8(10)))
    // Sums 4, 8, 8, 16 times 0.25, 0.5, 0.125, 0.25.
    #expect(result == Tensor([UInt8(11), 14, 11, 14], shape: [2, 2]))
  }
}
