// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Linear quantization follows its definition")
struct LinearQuantizationTests {
  let unit = Tensor(scalar: Float(1))

  @Test("Ties go to the even code, and codes saturate")
  func rounding() throws {
    let x = floats([0.5, 1.5, 2.5, -0.5, -1.5, 300, -300, .infinity, -.infinity, .nan])
    let result = try QuantizeLinear().result(x, unit, Tensor(scalar: UInt8(10)))
    #expect(result == Tensor([UInt8(10), 12, 12, 10, 8, 255, 0, 255, 0, 0], shape: [10]))
    let signed = try QuantizeLinear().result(x, unit, Tensor(scalar: Int8(0)))
    #expect(
      signed == Tensor([Int8(0), 2, 2, 0, -2, 127, -128, 127, -128, -128], shape: [10]))
  }

  @Test("The quotient is that of the scale's type: 0.15 / 0.1 is a tie in float32")
  func division() throws {
    let result = try QuantizeLinear().result(floats([0.15, 0.25]), Tensor(scalar: Float(0.1)))
    #expect(result == Tensor([UInt8(2), 2], shape: [2]))
    let half = Tensor(scalar: Float(0.1)).converted(to: .float16)
    let x = floats([0.25]).converted(to: .float16)
    #expect(try QuantizeLinear().result(x, half).integers() == [2])
    #expect(try QuantizeLinear(precision: .float32).result(x, half).integers() == [3])
  }

  @Test(
    "Every code type has its own range",
    arguments: [
      (.uint8, 0, 255), (.int8, -128, 127), (.uint16, 0, 65535), (.int16, -32768, 32767),
      (.uint4, 0, 15), (.int4, -8, 7), (.uint2, 0, 3), (.int2, -2, 1),
    ] as [(ElementType, Int64, Int64)])
  func ranges(type: ElementType, least: Int64, greatest: Int64) throws {
    let x = floats([-1e9, 1, 1e9])
    let codes = try QuantizeLinear(outputType: type).result(x, unit)
    #expect(codes.elementType == type)
    #expect(codes.integers() == [least, 1, greatest])
    let zero = Tensor(integers: [1], shape: [], elementType: type)
    let back = try DequantizeLinear().result(codes, Tensor(scalar: Float(0.5)), zero)
    #expect(back.floats() == [Float(least - 1) / 2, 0, Float(greatest - 1) / 2])
  }

  @Test("Scales along an axis, counted from either end")
  func perAxis() throws {
    let x = floats([2, 4, 6, 8], [2, 2])
    let scales = floats([1, 2])
    #expect(try QuantizeLinear(axis: 0).result(x, scales).bytes == [2, 4, 3, 4])
    #expect(try QuantizeLinear(axis: -1).result(x, scales).bytes == [2, 2, 6, 4])
    let zeros = Tensor([UInt8(1), 2], shape: [2])
    #expect(try QuantizeLinear(axis: 1).result(x, scales, zeros).bytes == [3, 4, 7, 6])
    #expect(
      try DequantizeLinear(axis: 1).result(
        Tensor([UInt8(3), 4, 7, 6], shape: [2, 2]), scales, zeros) == x)
  }

  @Test("Blocks along an axis, the last one shorter")
  func blocked() throws {
    let x = floats([1, 2, 3, 4, 5, 6], [2, 3])
    let scales = floats([1, 0.5, 1, 2], [2, 2])
    let codes = try QuantizeLinear(axis: 1, blockSize: 2).result(x, scales)
    #expect(codes.bytes == [1, 2, 6, 4, 5, 3])
    #expect(try DequantizeLinear(axis: 1, blockSize: 2).result(codes, scales) == x)
    let columns = floats([1, 0.5, 0.25], [1, 3])
    #expect(
      try QuantizeLinear(axis: 0, blockSize: 5).result(x, columns).bytes == [1, 4, 12, 4, 10, 24])
  }

  @Test("A block may be longer than anything, and an empty tensor has no codes")
  func extremeBlocks() throws {
    let x = floats([1, 2], [1, 2])
    let whole = QuantizeLinear(axis: 1, blockSize: .max)
    #expect(try whole.result(x, floats([0.5], [1, 1])).bytes == [2, 4])
    #expect(
      try whole.result(counting([2, 3]), floats([1, 0.5], [2, 1])).bytes == [0, 1, 2, 6, 8, 10])
    let empty = try QuantizeLinear(axis: 1).result(counting([1 << 40, 0]), unit)
    #expect(empty.shape == [1 << 40, 0])
  }

  @Test("A bias of int32 is dequantized in float32")
  func bias() throws {
    let codes = Tensor([Int32(16_777_217), -3], shape: [2])
    #expect(
      try DequantizeLinear(axis: 0).result(codes, floats([1, 0.5])) == floats([16_777_216, -1.5]))
  }

  @Test("The result has the scale's type unless another is asked for")
  func outputTypes() throws {
    let codes = Tensor([Int8(2), -3], shape: [2])
    let half = Tensor(scalar: Float(0.5)).converted(to: .float16)
    #expect(try DequantizeLinear().result(codes, half).elementType == .float16)
    let wide = try DequantizeLinear(outputType: .float32).result(codes, half)
    #expect(wide == floats([1, -1.5]))
  }

  @Test("Shapes and types that do not fit are errors")
  func errors() {
    let x = counting([2, 3])
    let two = floats([1, 1])
    #expect(throws: OpError.self) { try QuantizeLinear(axis: 1).result(x, two) }
    #expect(throws: OpError.self) { try QuantizeLinear(axis: 2).result(x, two) }
    #expect(throws: OpError.self) { try QuantizeLinear(axis: 0).result(x, counting([2, 1])) }
    #expect(throws: OpError.self) { try QuantizeLinear(blockSize: -1).result(x, unit) }
    #expect(throws: OpError.self) { try QuantizeLinear(blockSize: 2).result(x, counting([2, 3])) }
    #expect(throws: OpError.self) { try QuantizeLinear(axis: 0, blockSize: 2).result(x, two) }
    #expect(throws: OpError.self) {
      try QuantizeLinear(axis: 0).result(x, two, Tensor(scalar: UInt8(0)))
    }
    #expect(throws: OpError.self) { try QuantizeLinear(outputType: .int32).result(x, unit) }
    #expect(throws: OpError.self) {
      try QuantizeLinear(outputType: .int8).result(x, unit, Tensor(scalar: UInt8(0)))
    }
    #expect(throws: OpError.self) { try QuantizeLinear().result(counting([2], .int64), unit) }
    #expect(throws: OpError.self) { try DequantizeLinear().result(x, unit) }
    #expect(throws: OpError.self) {
      try DequantizeLinear().result(counting([2], .int8), unit, Tensor(scalar: UInt8(0)))
    }
  }

  @Test("Types are known as far as the operands tell")
  func types() throws {
    let x = operand(.float32, .symbol("N"), 3)
    #expect(try QuantizeLinear().type(x, operand())?.description == "uint8 N×3")
    #expect(
      try QuantizeLinear().type(x, operand(), operand(.int8))?.description == "int8 N×3")
    #expect(try QuantizeLinear().type(x, operand(), Operand(type: nil)) == nil)
    let open = try QuantizeLinear(axis: 7).type(x, operand(.float32, .unknown))
    #expect(open?.description == "uint8 N×3")
    #expect(
      try DequantizeLinear().type(operand(.int4, .unknown), operand(.bfloat16))?.description
        == "bfloat16 ?")
  }
}

@Suite("Dynamic quantization takes the range of its input, with zero in it")
struct DynamicQuantizeLinearTests {
  @Test("The example of the standard")
  func example() throws {
    let x = floats([0, 2, -3, -2.5, 1.34, 0.5])
    let results = try DynamicQuantizeLinear().results([x], count: 3)
    #expect(results[0].bytes == [153, 255, 0, 26, 221, 179])
    #expect(results[1] == Tensor(scalar: Float(5) / 255))
    #expect(results[2] == Tensor(scalar: UInt8(153)))
  }

  @Test("Positive inputs start at zero, and zeros have the scale one")
  func edges() throws {
    let positive = try DynamicQuantizeLinear().results([floats([1, 255])], count: 3)
    #expect(positive[0].bytes == [1, 255])
    #expect(positive[2] == Tensor(scalar: UInt8(0)))
    let zeros = try DynamicQuantizeLinear().results([floats([0, 0])], count: 3)
    #expect(zeros[1] == Tensor(scalar: Float(1)))
    #expect(zeros[0].bytes == [0, 0])
    #expect(throws: OpError.self) {
      try DynamicQuantizeLinear().results([counting([2], .int32)], count: 3)
    }
  }
}
