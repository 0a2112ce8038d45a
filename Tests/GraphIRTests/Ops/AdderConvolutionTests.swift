// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Adder convolutions follow their definition")
struct AdderConvolutionTests {
  /// One window over three channels.
  static let x = floats([1, -2, 0.5], [1, 3, 1, 1])
  static let filter = floats([0.5, -1, 2], [1, 3, 1, 1])
  static let one = floats([1], [1, 1, 1, 1])

  @Test("The negative L1 distance of a window and a filter")
  func distance() throws {
    #expect(try AdderConv().result(Self.x, Self.filter) == floats([-3], [1, 1, 1, 1]))
  }

  @Test("The gradient of the input is clipped, that of the weights is not")
  func gradients() throws {
    let dX = try AdderConvInputGradient(of: AdderConv()).result(Self.one, Self.x, Self.filter)
    #expect(dX == floats([-0.5, 1, 1], [1, 3, 1, 1]))
    let op = AdderConvWeightGradient(of: AdderConv(), adaptiveRate: nil)
    #expect(
      try op.result(Self.one, Self.x, Self.filter) == floats([0.5, -1, -1.5], [1, 3, 1, 1]))
  }

  /// 0.2 · √3 · g / ‖g‖ with g = (0.5, −1, −1.5).
  @Test("The gradient of the weights gets the length that the layer's size asks for")
  func adaptive() throws {
    let dW = try AdderConvWeightGradient(of: AdderConv()).result(Self.one, Self.x, Self.filter)
    for (value, expected) in zip(dW.floats(), [0.092582, -0.185164, -0.277746] as [Float]) {
      #expect(abs(value - expected) <= 1e-6)
    }
    let zeros = floats([0], [1, 1, 1, 1])
    let none = try AdderConvWeightGradient(of: AdderConv()).result(zeros, Self.x, Self.filter)
    #expect(none == floats([0, 0, 0], [1, 3, 1, 1]))
  }

  @Test("Padding counts as zeros, in the gradient of the weights too")
  func padding() throws {
    let op = AdderConv(padding: .explicit([1, 1]))
    let x = floats([4], [1, 1, 1]), w = floats([1, 2, 3], [1, 1, 3])
    #expect(try op.result(x, w) == floats([-6], [1, 1, 1]))
    let dY = floats([1], [1, 1, 1])
    #expect(
      try AdderConvInputGradient(of: op).result(dY, x, w) == floats([-1], [1, 1, 1]))
    let dW = try AdderConvWeightGradient(of: op, adaptiveRate: nil).result(dY, x, w)
    #expect(dW == floats([-1, 2, -3], [1, 1, 3]))
  }

  /// Where every distance is below 1 and no weight equals an input, the input's gradient is the
  /// derivative of `−½ Σ (X − W)²`, and so is that of the weights.
  @Test("Gradients are those of half the squared distance, as far as nothing is clipped")
  func squaredDistance() throws {
    var random = RandomSource(seed: 17)
    func reals(_ shape: [Int]) -> Tensor {
      let count = shape.reduce(1, *)
      return Tensor(
        (0..<count).map { _ in random.nextUniform() - 0.5 }.map { Float($0) }, shape: shape)
    }
    let op = AdderConv(strides: [2, 1], padding: .explicit([1, 0, 0, 1]))
    let x = reals([2, 2, 5, 4]), w = reals([3, 2, 3, 2])
    let dY = reals(try op.result(x, w).shape)
    let dX = try AdderConvInputGradient(of: op).result(dY, x, w).floats()
    let dW = try AdderConvWeightGradient(of: op, adaptiveRate: nil).result(dY, x, w).floats()
    func value(_ x: Tensor, _ w: Tensor) throws -> Double {
      let conv = Conv(strides: [2, 1], padding: .explicit([1, 0, 0, 1]))
      let ones = Tensor([Float](repeating: 1, count: w.count), shape: w.shape)
      let squares = Tensor(x.floats().map { $0 * $0 }, shape: x.shape)
      let products = try conv.result(x, w).floats(), sums = try conv.result(squares, ones).floats()
      let depth = w.count / w.shape[0], positions = products.count / 2 / w.shape[0]
      let norms = (0..<w.shape[0]).map { output in
        w.floats()[(output * depth)..<((output + 1) * depth)].reduce(0.0) {
          $0 + Double($1) * Double($1)
        }
      }
      return dY.floats().enumerated().reduce(0.0) { total, entry in
        let output = entry.offset / positions % w.shape[0]
        let square =
          Double(sums[entry.offset]) - 2 * Double(products[entry.offset]) + norms[output]
        return total - Double(entry.element) * square / 2
      }
    }
    func moved(_ tensor: Tensor, _ index: Int, by step: Float) -> Tensor {
      var values = tensor.floats()
      values[index] += step
      return Tensor(values, shape: tensor.shape)
    }
    // The value is quadratic, so central differences err by rounding alone: sums of some fifty
    // terms up to 1 in f32 over a step of 2⁻³.
    let tolerance = 50 * 0x1p-23 * 8
    for index in stride(from: 0, to: x.count, by: 3) {
      let slope =
        try (value(moved(x, index, by: 0x1p-4), w) - value(moved(x, index, by: -0x1p-4), w)) * 8
      #expect(abs(slope - Double(dX[index])) <= tolerance)
    }
    for index in stride(from: 0, to: w.count, by: 2) {
      let slope =
        try (value(x, moved(w, index, by: 0x1p-4)) - value(x, moved(w, index, by: -0x1p-4))) * 8
      #expect(abs(slope - Double(dW[index])) <= tolerance)
    }
  }

  @Test("Types follow those of a convolution, and a symbolic batch is kept")
  func types() throws {
    let x = operand(.float32, .symbol("N"), 3, 8, 8), w = operand(.float32, 4, 3, 3, 3)
    let op = AdderConv(strides: [2, 2], padding: .explicit([1, 1, 1, 1]))
    #expect(try op.type(x, w)?.dimensions == [.symbol("N"), 4, 4, 4])
    let dY = operand(.float32, .symbol("N"), 4, 4, 4)
    #expect(
      try AdderConvInputGradient(of: op).type(dY, x, w)?.dimensions == [.symbol("N"), 3, 8, 8])
    #expect(try AdderConvWeightGradient(of: op).type(dY, x, w)?.dimensions == [4, 3, 3, 3])
  }

  @Test("Operands that do not fit are refused")
  func refusals() {
    let x = operand(.float32, 1, 3, 8, 8), w = operand(.float32, 4, 2, 3, 3)
    #expect(throws: OpError.self) { try AdderConv().type(x, w) }
    let fitting = operand(.float32, 4, 3, 3, 3), dY = operand(.float32, 1, 4, 5, 5)
    #expect(throws: OpError.self) {
      try AdderConvInputGradient(of: AdderConv()).type(dY, x, fitting)
    }
    let right = operand(.float32, 1, 4, 6, 6)
    #expect(throws: OpError.self) {
      try AdderConvWeightGradient(of: AdderConv(), adaptiveRate: 0).type(right, x, fitting)
    }
    #expect(throws: OpError.self) { try AdderConv().type(x) }
  }
}
