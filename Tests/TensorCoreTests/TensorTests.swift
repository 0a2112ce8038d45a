// SPDX-License-Identifier: Apache-2.0
import TensorCore
import Testing

@Suite("Tensor")
struct TensorTests {
  @Test("Elements come back as they were given", arguments: [[0], [1], [2, 3]])
  func roundTrip(_ shape: [Int]) {
    let values = (0..<shape.reduce(1, *)).map { Float($0) - 0.5 }
    #expect(Tensor(values, shape: shape).elements(as: Float.self) == values)
  }

  @Test("A scalar has rank 0 and one element")
  func scalar() {
    let tensor = Tensor(scalar: Int64(7))
    #expect(tensor.rank == 0)
    #expect(tensor.count == 1)
    #expect(tensor.integers() == [7])
  }

  @Test("Bytes that do not fit the shape are refused")
  func wrongBytes() {
    #expect(
      throws: TensorError.byteCountMismatch(
        expected: 8, actual: 7, elementType: .float32, shape: [2])
    ) { try Tensor(elementType: .float32, shape: [2], bytes: [UInt8](repeating: 0, count: 7)) }
  }

  @Test("Negative and overflowing shapes are refused")
  func wrongShapes() {
    #expect(throws: TensorError.negativeDimension(shape: [2, -1])) {
      try Tensor.checkedByteCount(elementType: .int8, shape: [2, -1])
    }
    #expect(throws: TensorError.tooManyElements(shape: [1 << 40, 1 << 40])) {
      try Tensor.checkedByteCount(elementType: .int8, shape: [1 << 40, 1 << 40])
    }
    #expect(throws: TensorError.tooManyElements(shape: [1 << 45, 1 << 34, 0])) {
      try Tensor.checkedByteCount(elementType: .int8, shape: [1 << 45, 1 << 34, 0])
    }
  }

  @Test("Reshaping keeps the elements and refuses other counts")
  func reshape() throws {
    let tensor = Tensor([Float](repeating: 1, count: 6), shape: [2, 3])
    #expect(try tensor.reshaped(to: [3, 2]).shape == [3, 2])
    #expect(throws: TensorError.elementCountMismatch(from: [2, 3], to: [4])) {
      try tensor.reshaped(to: [4])
    }
  }

  @Test("Every element type stores small integers exactly", arguments: ElementType.allCases)
  func everyType(_ type: ElementType) {
    let values: [Int64] = [0, 1, 1, 0, 1]
    let tensor = Tensor(integers: values, shape: [5], elementType: type)
    #expect(tensor.integers() == values)
    #expect(tensor.reals() == values.map { Double($0) })
    #expect(tensor.bytes.count == type.byteCount(of: 5))
  }

  @Test("Integers wrap to the width of their type")
  func wrapping() {
    #expect(
      Tensor(integers: [-1, 256, 300], shape: [3], elementType: .uint8).integers() == [255, 0, 44])
    #expect(Tensor(integers: [8, -9], shape: [2], elementType: .int4).integers() == [-8, 7])
    #expect(Tensor(integers: [2, 5], shape: [2], elementType: .int2).integers() == [-2, 1])
  }

  @Test("Reals are truncated toward zero, clamped, and NaN becomes zero")
  func truncation() {
    let tensor = Tensor(reals: [-1.9, 1.9, .nan, 1e300], shape: [4], elementType: .int64)
    #expect(tensor.integers() == [-1, 1, 0, .max])
  }

  @Test("Four-bit elements lie low nibble first")
  func nibbles() {
    #expect(Tensor(integers: [1, 2, 3], shape: [3], elementType: .uint4).bytes == [0x21, 0x03])
  }

  @Test("Samples of a batch, joined, are the batch")
  func samples() {
    let batch = Tensor([Int32(1), 2, 3, 4, 5, 6], shape: [3, 2])
    let parts = (0..<3).map { batch.sample($0, of: 3) }
    #expect(parts[1] == Tensor([Int32(3), 4], shape: [1, 2]))
    #expect(Tensor.stacked(parts) == batch)
  }
}

@Suite("16-bit floating point")
struct HalfTests {
  @Test("bfloat16 rounds to nearest, ties to even")
  func bfloat16() {
    // 1/3 in bfloat16, from the card on 16-bit types.
    #expect(Half.float(bfloat16: Half.bfloat16(1.0 / 3.0)) == 0.33398438)
    #expect(Half.bfloat16(Float(bitPattern: 0x3f80_8000)) == 0x3f80)
    #expect(Half.bfloat16(Float(bitPattern: 0x3f81_8000)) == 0x3f82)
    #expect(Half.float(bfloat16: Half.bfloat16(.nan)).isNaN)
    #expect(Half.float(bfloat16: Half.bfloat16(.greatestFiniteMagnitude)) == .infinity)
  }

  @Test("Every float16 bit pattern survives a round trip through Float")
  func float16RoundTrip() {
    for bits in UInt16.min...UInt16.max {
      let value = Half.float(float16: bits)
      if value.isNaN { continue }
      #expect(Half.float16(value) == bits)
    }
  }

  @Test(
    "float16 rounds at its edges",
    arguments: [
      (Float(65504), UInt16(0x7bff)), (65519.996, 0x7bff), (65520, 0x7c00), (6.1035156e-5, 0x0400),
      (5.9604645e-8, 0x0001), (2.9802322e-8, 0x0000), (2.98024e-8, 0x0001), (1.0009766, 0x3c01),
      (-2, 0xc000),
    ])
  func float16(value: Float, bits: UInt16) {
    #expect(Half.float16(value) == bits)
  }
}

@Suite("Random source")
struct RandomSourceTests {
  @Test("The sequence is that of SplitMix64")
  func sequence() {
    var source = RandomSource(seed: 1_234_567)
    #expect(source.next() == 6_457_827_717_110_365_317)
    #expect(source.next() == 3_203_168_211_198_807_973)
  }

  @Test("Uniform values lie in 0..<1 and their mean is near a half")
  func uniform() {
    var source = RandomSource(seed: 3)
    let values = (0..<10_000).map { _ in source.nextUniform() }
    #expect(values.allSatisfy { (0..<1).contains($0) })
    // The standard error of the mean is 0.0029.
    #expect(abs(values.reduce(0, +) / 10_000 - 0.5) < 0.015)
  }

  @Test("A sample holds different indices")
  func sample() {
    var source = RandomSource(seed: 4)
    let indices = source.sample(50, below: 60)
    #expect(Set(indices).count == 50)
    #expect(indices.allSatisfy { (0..<60).contains($0) })
    #expect(source.sample(9, below: 4).sorted() == [0, 1, 2, 3])
  }
}
