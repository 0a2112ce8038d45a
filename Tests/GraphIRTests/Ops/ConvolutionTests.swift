// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Convolutions follow their definition")
struct ConvolutionTests {
  let image = counting([1, 1, 3, 3])
  let ones = floats([1, 1, 1, 1], [1, 1, 2, 2])

  @Test("A window sums what is under it, and the bias is added")
  func plain() throws {
    #expect(try Conv().result(image, ones) == floats([8, 12, 20, 24], [1, 1, 2, 2]))
    let biased = try Conv().result(image, ones, floats([0.5]))
    #expect(biased == floats([8.5, 12.5, 20.5, 24.5], [1, 1, 2, 2]))
  }

  @Test(
    "Padding is zeros at the begins and ends that it names",
    arguments: [
      (.explicit([1, 0, 0, 1]), [1, 3, 2, 8, 12, 7, 20, 24, 13], 3),
      (.sameUpper, [8, 12, 7, 20, 24, 13, 13, 15, 8], 3),
      (.sameLower, [0, 1, 3, 3, 8, 12, 9, 20, 24], 3),
      (.valid, [8, 12, 20, 24], 2),
    ] as [(Padding, [Float], Int)])
  func padding(padding: Padding, expected: [Float], extent: Int) throws {
    let result = try Conv(padding: padding).result(image, ones)
    #expect(result == floats(expected, [1, 1, extent, extent]))
  }

  @Test("Strides skip windows and dilations skip inputs")
  func stridesAndDilations() throws {
    let x = counting([1, 1, 7])
    let w = floats([1, 10, 100], [1, 1, 3])
    #expect(try Conv(strides: [2]).result(x, w) == floats([210, 432, 654], [1, 1, 3]))
    #expect(try Conv(dilations: [3]).result(x, w) == floats([630], [1, 1, 1]))
  }

  @Test("Groups see their own channels only")
  func groups() throws {
    let x = floats([1, 2, 3, 4], [1, 4, 1])
    let w = floats([1, 1, 1, -1], [2, 2, 1])
    #expect(try Conv(group: 2).result(x, w) == floats([3, -1], [1, 2, 1]))
    let depthwise = floats([5, 6, 7, 8], [4, 1, 1])
    #expect(try Conv(group: 4).result(x, depthwise) == floats([5, 12, 21, 32], [1, 4, 1]))
  }

  @Test("Three spatial axes work like one, and batches are independent")
  func volume() throws {
    let x = counting([2, 1, 2, 2, 2])
    let w = floats([Float](repeating: 1, count: 8), [1, 1, 2, 2, 2])
    #expect(try Conv().result(x, w) == floats([28, 92], [2, 1, 1, 1, 1]))
  }

  @Test("float16, bfloat16 and float64 come out as they went in")
  func otherTypes() throws {
    for type in [ElementType.float16, .bfloat16, .float64] {
      let result = try Conv().result(image.converted(to: type), ones.converted(to: type))
      #expect(result.elementType == type)
      #expect(result.floats() == [8, 12, 20, 24])
    }
  }

  @Test("Many columns and channels agree with a sum in another order")
  func blocks() throws {
    let (channels, outputs, extent) = (5, 7, 40)
    let x = counting([1, channels, extent, extent])
    let w = counting([outputs, channels, 1, 1])
    let result = try Conv().result(x, w).floats()
    let plane = extent * extent
    for output in 0..<outputs {
      for position in [0, 255, 256, 257, plane - 1] {
        let expected = (0..<channels).reduce(Float(0)) {
          $0 + Float($1 * plane + position) * Float(output * channels + $1)
        }
        #expect(result[output * plane + position] == expected)
      }
    }
  }

  @Test("What is known of the dimensions is carried through")
  func types() throws {
    let op = Conv(strides: [2, 2], padding: .explicit([1, 1, 1, 1]))
    let w = operand(.float32, 8, 3, 3, 3)
    #expect(
      try op.type(operand(.float32, .symbol("N"), 3, 32, .symbol("W")), w)?.description
        == "float32 N×8×16×?")
    let same = Conv(padding: .explicit([1, 1, 1, 1]))
    #expect(
      try same.type(operand(.float32, .symbol("N"), 3, .symbol("H"), .symbol("W")), w)?.description
        == "float32 N×8×H×W")
    #expect(
      try op.type(Operand(type: nil), w)?.description == "float32 ?×8×?×?")
    #expect(try op.type(Operand(type: nil), Operand(type: nil)) == nil)
    #expect(
      try op.type(operand(.float32, 1, 3, 8, 8), operand(.float32, .unknown, 3, .unknown, 3))?
        .description == "float32 1×?×?×?")
  }

  @Test(
    "Operands that do not fit are errors, not traps",
    arguments: [
      (Conv(), [1, 2, 3, 3], [1, 1, 2, 2]), (Conv(), [1, 1, 3], [1, 1, 2, 2]),
      (Conv(), [1, 1], [1, 1]), (Conv(), [1, 1, 1, 1], [1, 1, 2, 2]),
      (Conv(strides: [0, 1]), [1, 1, 3, 3], [1, 1, 2, 2]),
      (Conv(strides: [1]), [1, 1, 3, 3], [1, 1, 2, 2]),
      (Conv(dilations: [Int.max, 1]), [1, 1, 3, 3], [1, 1, 2, 2]),
      (Conv(padding: .explicit([-1, 0, 0, 0])), [1, 1, 3, 3], [1, 1, 2, 2]),
      (Conv(padding: .explicit([1])), [1, 1, 3, 3], [1, 1, 2, 2]),
      (Conv(group: 0), [1, 1, 3, 3], [1, 1, 2, 2]), (Conv(group: -1), [1, 1, 3, 3], [1, 1, 2, 2]),
      (Conv(group: 2), [1, 2, 3, 3], [3, 1, 2, 2]),
      (Conv(padding: .explicit([1 << 29, 1 << 29, 0, 0])), [1, 1, 3, 3], [1, 1, 2, 2]),
      (Conv(), [1, 1, 3, 3], [1, 1, 0, 2]),
    ])
  func errors(op: Conv, x: [Int], w: [Int]) {
    #expect(throws: OpError.self) { try op.result(counting(x), counting(w)) }
  }

  @Test("A bias of another length, a missing weight and another type are errors")
  func operandErrors() {
    #expect(throws: OpError.self) { try Conv().result(image, ones, floats([1, 2])) }
    #expect(throws: OpError.missingInput(name: "W")) { try Conv().result(image, nil) }
    #expect(throws: OpError.self) { try Conv().result(image, ones.converted(to: .float16)) }
    #expect(throws: OpError.self) { try Conv().result(image.converted(to: .int32), ones) }
    #expect(throws: OpError.self) { try Conv().results([image, ones], count: 2) }
  }

  @Test("Empty batches and channels give empty results or the bias")
  func empty() throws {
    #expect(try Conv().result(counting([0, 1, 3, 3]), ones).shape == [0, 1, 2, 2])
    let none = try Conv().result(counting([1, 0, 3, 3]), counting([2, 0, 2, 2]), floats([1, 2]))
    #expect(none == floats([1, 1, 1, 1, 2, 2, 2, 2], [1, 2, 2, 2]))
  }

  @Test("The cost counts one product per tap, input channel of the group and output")
  func cost() {
    let x = TensorType(.float32, shape: [2, 8, 32, 32])
    let w = TensorType(.float32, shape: [16, 4, 3, 3])
    let y = TensorType(.float32, shape: [2, 16, 16, 16])
    let products = 2 * 16 * 16 * 16 * 4 * 9
    #expect(Conv(group: 2).cost(inputs: [x, w], outputs: [y])?.multiplyAccumulates == products)
    #expect(Conv().cost(inputs: [x, nil], outputs: [y]) == nil)
  }
}

@Suite("Transposed convolutions follow their definition")
struct ConvTransposeTests {
  let x = floats([1, 1, 1], [1, 1, 3])
  let w = floats([1, 2, 4], [1, 1, 3])

  @Test("Every input spreads the window")
  func plain() throws {
    #expect(try ConvTranspose().result(x, w) == floats([1, 3, 7, 6, 4], [1, 1, 5]))
    let strided = try ConvTranspose(strides: [2]).result(x, w, floats([10]))
    #expect(strided == floats([11, 12, 15, 12, 15, 12, 14], [1, 1, 7]))
  }

  @Test(
    "Pads are cut off, and an output shape decides them",
    arguments: [
      (ConvTranspose(strides: [2], padding: .explicit([1, 1])), [2, 5, 2, 5, 2]),
      (
        ConvTranspose(strides: [2], padding: .explicit([1, 1]), outputPadding: [1]),
        [2, 5, 2, 5, 2, 4]
      ),
      (ConvTranspose(strides: [2], outputShape: [6]), [2, 5, 2, 5, 2, 4]),
      (ConvTranspose(strides: [2], padding: .sameLower, outputShape: [6]), [2, 5, 2, 5, 2, 4]),
      (ConvTranspose(strides: [2], padding: .sameUpper), [1, 2, 5, 2, 5, 2]),
      (ConvTranspose(strides: [2], outputShape: [1, 1, 8]), [1, 2, 5, 2, 5, 2, 4, 0]),
      (ConvTranspose(strides: [4], padding: .sameUpper), [1, 2, 4, 0, 1, 2, 4, 0, 1, 2, 4]),
    ] as [(ConvTranspose, [Float])])
  func placement(op: ConvTranspose, expected: [Float]) throws {
    #expect(try op.result(x, w) == floats(expected, [1, 1, expected.count]))
  }

  @Test("Groups and two axes: each input channel feeds the outputs of its group")
  func groups() throws {
    let x = floats([1, 2], [1, 2, 1, 1])
    let w = floats([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 1, 2])
    let y = try ConvTranspose(group: 2).result(x, w)
    #expect(y == floats([1, 2, 3, 4, 10, 12, 14, 16], [1, 4, 1, 2]))
  }

  @Test("The adjoint of the convolution: ⟨conv(a), b⟩ = ⟨a, transposed(b)⟩")
  func adjoint() throws {
    let (strides, dilations, pads) = ([2, 1], [1, 2], Padding.explicit([1, 2, 0, 1]))
    let w = counting([4, 2, 3, 2])
    let a = counting([1, 4, 6, 5])
    let conv = Conv(strides: strides, dilations: dilations, padding: pads, group: 2)
    let forward = try conv.result(a, w)
    let b = counting(forward.shape)
    let transposed = ConvTranspose(
      strides: strides, dilations: dilations, padding: pads, group: 2)
    let back = try transposed.result(b, w)
    #expect(back.shape == a.shape)
    // Integers below 2⁵³, so both sums are exact.
    let forwardProduct = zip(forward.reals(), b.reals()).map(*).reduce(0, +)
    let backProduct = zip(a.reals(), back.reals()).map(*).reduce(0, +)
    #expect(forwardProduct == backProduct)
  }

  @Test("Types carry the batch through and leave unknown extents unknown")
  func types() throws {
    let op = ConvTranspose(strides: [2, 2], group: 2)
    let type = try op.type(
      operand(.float32, .symbol("N"), 4, 7, .symbol("W")), operand(.float32, 4, 3, 2, 2))
    #expect(type?.description == "float32 N×6×14×?")
  }

  @Test(
    "Operands that do not fit are errors, not traps",
    arguments: [
      (ConvTranspose(), [1, 2, 3], [1, 1, 2]), (ConvTranspose(group: 2), [1, 3, 3], [3, 1, 2]),
      (ConvTranspose(padding: .explicit([9, 9])), [1, 1, 3], [1, 1, 3]),
      (ConvTranspose(outputPadding: [-1]), [1, 1, 3], [1, 1, 3]),
      (ConvTranspose(outputShape: [0]), [1, 1, 3], [1, 1, 3]),
      (ConvTranspose(outputShape: [1, 2, 3, 4]), [1, 1, 3], [1, 1, 3]),
      (ConvTranspose(strides: [1 << 40]), [1, 1, 3], [1, 1, 3]),
      (ConvTranspose(strides: [1 << 30, 1 << 30]), [1, 1, 3, 3], [1, 1, 3, 3]),
      (ConvTranspose(), [1, 1, 0], [1, 1, 3]),
    ])
  func errors(op: ConvTranspose, x: [Int], w: [Int]) {
    #expect(throws: OpError.self) { try op.result(counting(x), counting(w)) }
  }
}

@Suite("Convolutions of integers take zero points away before they multiply")
struct IntegerConvolutionTests {
  let x = Tensor([UInt8(2), 3, 4, 5, 6, 7, 8, 9, 10], shape: [1, 1, 3, 3])
  let w = Tensor([UInt8(1), 1, 1, 1], shape: [1, 1, 2, 2])

  @Test("The example of the standard, and padding that counts as zero")
  func plain() throws {
    let zero = Tensor(scalar: UInt8(1))
    let plain = try ConvInteger().result(x, w, zero)
    #expect(plain == Tensor([Int32(12), 16, 24, 28], shape: [1, 1, 2, 2]))
    let padded = try ConvInteger(padding: .explicit([1, 1, 1, 1])).result(x, w, zero)
    #expect(
      padded
        == Tensor(
          [Int32(1), 3, 5, 3, 5, 12, 16, 9, 11, 24, 28, 15, 7, 15, 17, 9], shape: [1, 1, 4, 4]))
  }

  @Test("Weights may have a zero point per output channel")
  func perChannel() throws {
    let weights = Tensor([Int8(5), 5], shape: [2, 1, 1])
    let input = Tensor([UInt8(3), 4], shape: [1, 1, 2])
    let zeros = Tensor([Int8(4), 6], shape: [2])
    let result = try ConvInteger().result(input, weights, nil, zeros)
    #expect(result == Tensor([Int32(3), 4, -3, -4], shape: [1, 2, 2]))
    #expect(throws: OpError.self) {
      try ConvInteger().result(input, weights, nil, Tensor([Int8(1), 2, 3], shape: [3]))
    }
  }

  @Test("The quantized convolution rescales, rounds half to even and saturates")
  func quantized() throws {
    let input = Tensor([UInt8(11), 13, 15, 255], shape: [1, 1, 4])
    let weights = Tensor([Int8(1), -1], shape: [2, 1, 1])
    let result = try QLinearConv().result(
      input, Tensor(scalar: Float(1)), Tensor(scalar: UInt8(10)), weights,
      floats([0.5, 2]), Tensor([Int8(0), 0], shape: [2]), Tensor(scalar: Float(1)),
      Tensor(scalar: Int8(3)), Tensor([Int32(0), 100], shape: [2]))
    // (x − 10) / 2 + 3 and (100 − (x − 10)) · 2 + 3.
    #expect(result == Tensor([Int8(3), 5, 5, 125, 127, 127, 127, -128], shape: [1, 2, 4]))
  }

  @Test("Wrong types and counts are errors")
  func errors() {
    #expect(throws: OpError.self) { try ConvInteger().result(x, w.converted(to: .int32)) }
    #expect(throws: OpError.self) { try ConvInteger().result(x, w, Tensor(scalar: Int8(1))) }
    #expect(throws: OpError.self) { try QLinearConv().result(x, w) }
  }
}
