// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Operators of training follow their definitions")
struct TrainingOpTests {
  private static let batch: [Operand] = [
    operand(.float32, .symbol("N"), 3, 4, 4), operand(.float32, 3), operand(.float32, 3),
    operand(.float32, 3), operand(.float32, 3),
  ]

  @Test("Normalization by the batch's statistics, and the running ones it leaves")
  func batchStatistics() throws {
    let x = floats([1, 3, 5, 7], [2, 1, 2])
    let op = BatchStatisticsNormalization(epsilon: 0, momentum: 0.75, activation: .relu)
    let results = try op.results(
      [x, floats([2]), floats([1]), floats([8]), floats([1]), floats([0, 9, 0, 0], [2, 1, 2])],
      count: 5)
    // Mean 4, population variance 5, unbiased variance 20/3.
    let root = 5.0.squareRoot()
    let values = [-3, -1, 1, 3].map { 2 * $0 / root + 1 }
    #expect(results[0].floats() == [0, Float(values[1] + 9), Float(values[2]), Float(values[3])])
    #expect(results[1] == floats([4]))
    #expect(results[2] == floats([Float(1 / root)]))
    #expect(results[3] == floats([7]))
    #expect(results[4] == floats([Float(0.75 + 20.0 / 3 / 4)]))
  }

  @Test("A symbolic batch is kept, and an addend beside hard-swish refused")
  func batchStatisticsTypes() throws {
    let op = BatchStatisticsNormalization()
    let types = try op.inferTypes(Self.batch, outputCount: 5)
    #expect(types[0]?.dimensions == [.symbol("N"), 3, 4, 4])
    #expect(types[1...].allSatisfy { $0 == TensorType(.float32, [3]) })
    #expect(throws: OpError.self) {
      try BatchStatisticsNormalization(activation: .hardSwish)
        .inferTypes(Self.batch + [Self.batch[0]], outputCount: 5)
    }
    #expect(throws: OpError.self) {
      try op.inferTypes(Self.batch + [operand(.float32, .symbol("N"), 3, 4, 5)], outputCount: 5)
    }
  }

  @Test("A channel with one element has the population variance")
  func singleElement() throws {
    let results = try BatchStatisticsNormalization(momentum: 0).results(
      [floats([3], [1, 1]), floats([1]), floats([2]), floats([0]), floats([1])], count: 5)
    #expect(results[0] == floats([2], [1, 1]))
    #expect(results[4] == floats([0]))
  }

  @Test("Rows of unit length, and their gradient, by hand")
  func unitRows() throws {
    let x = floats([3, 4, 0, 0], [2, 2])
    #expect(try RowNormalization().result(x) == floats([0.6, 0.8, 0, 0], [2, 2]))
    // y · dY = 1.4, so (1 − 0.6 · 1.4) / 5 and (1 − 0.8 · 1.4) / 5; a zero row is divided by ε.
    let dX = try RowNormalizationGradient(epsilon: 0.5).result(floats([1, 1, 1, 2], [2, 2]), x)
    for (found, wanted) in zip(dX.floats(), [0.032, -0.024, 2, 4] as [Float]) {
      #expect(abs(found - wanted) <= wanted.magnitude * 0x1p-22)
    }
    #expect(throws: OpError.self) { try RowNormalization().result(floats([1, 2], [2])) }
    #expect(throws: OpError.self) {
      try RowNormalizationGradient(epsilon: 0).result(floats([1, 2], [1, 2]), x)
    }
  }

  @Test("Gradients of a convolution by hand")
  func convolution() throws {
    let op = Conv(strides: [2])
    let dY = floats([1, 10], [1, 1, 2])
    let dX = try ConvInputGradient(of: op, inputExtents: [5]).result(
      dY, floats([2, 3], [1, 1, 2]))
    #expect(dX == floats([2, 3, 20, 30, 0], [1, 1, 5]))
    let dW = try ConvWeightGradient(of: op, kernelExtents: [2])
      .result(dY, floats([1, 2, 3, 4, 5], [1, 1, 5]))
    #expect(dW == floats([31, 42], [1, 1, 2]))
    #expect(try ChannelSum().result(counting([2, 2, 2])) == floats([10, 18]))
  }

  @Test("Gradients of a convolution keep a symbolic batch, and name what does not fit")
  func convolutionTypes() throws {
    let op = Conv(padding: .explicit([1, 1, 1, 1]), group: 2)
    let dY = operand(.float32, .symbol("N"), 6, 5, 5)
    let input = ConvInputGradient(of: op, inputExtents: [5, 5])
    #expect(
      try input.type(dY, operand(.float32, 6, 2, 3, 3))?.dimensions == [.symbol("N"), 4, 5, 5])
    let weight = ConvWeightGradient(of: op, kernelExtents: [3, 3])
    #expect(
      try weight.type(dY, operand(.float32, .symbol("N"), 4, 5, 5))?.dimensions == [6, 2, 3, 3])
    #expect(throws: OpError.self) {
      try ConvInputGradient(of: op, inputExtents: [6, 5]).type(dY, operand(.float32, 6, 2, 3, 3))
    }
    #expect(throws: OpError.self) { try weight.type(dY, operand(.float32, .symbol("N"), 3, 5, 5)) }
    let types = [
      TensorType(.float32, shape: [2, 6, 5, 5]), TensorType(.float32, shape: [6, 2, 3, 3]),
    ]
    // 2 · 6 · 25 results of 2 · 9 products each.
    #expect(input.cost(inputs: types, outputs: [])?.multiplyAccumulates == 5400)
    #expect(weight.cost(inputs: [types[0]], outputs: [types[1]])?.multiplyAccumulates == 5400)
  }

  @Test("Of equal elements the first takes the gradient of a maximum")
  func pools() throws {
    let window = PoolingWindow(kernel: [2], strides: [1])
    let x = floats([1, 4, 4, 2], [1, 1, 4])
    let dY = floats([1, 10, 100], [1, 1, 3])
    #expect(
      try MaxPoolGradient(window: window).result(dY, x) == floats([0, 11, 100, 0], [1, 1, 4]))
    let average = AveragePoolGradient(window: window, countsPadding: false, inputExtents: [4])
    #expect(try average.result(dY) == floats([0.5, 5.5, 55, 50], [1, 1, 4]))
    let global = GlobalAveragePoolGradient(inputExtents: [2, 2])
    #expect(
      try global.result(floats([4, 8], [1, 2, 1, 1]))
        == floats([1, 1, 1, 1, 2, 2, 2, 2], [1, 2, 2, 2]))
    #expect(throws: OpError.self) { try global.result(floats([4, 8], [1, 1, 1, 2])) }
  }

  @Test("Elementwise gradients stop where the function is flat")
  func elementwise() throws {
    let x = floats([-1, 0, 3, 7])
    let dY = floats([1, 2, 3, 4])
    #expect(try UnaryGradient(of: .relu).result(dY, x) == floats([0, 0, 3, 4]))
    #expect(try ClipGradient(lower: 0, upper: 7).result(dY, x) == floats([0, 0, 3, 0]))
    #expect(throws: OpError.self) { try UnaryGradient(of: .isNaN).result(dY, x) }
    #expect(throws: OpError.self) { try ClipGradient(lower: 0, upper: 6).result(floats([1]), x) }
  }

  @Test("A slice's gradient lies where the slice took its elements, backwards too")
  func slice() throws {
    let op = SliceGradient(axes: [-1], starts: [4], steps: [-2], extents: [5])
    #expect(
      try op.result(floats([1, 2, 3, 4], [2, 2]))
        == floats([0, 0, 2, 0, 1, 0, 0, 4, 0, 3], [2, 5]))
    #expect(try op.type(operand(.float32, .symbol("N"), 2))?.dimensions == [.symbol("N"), 5])
    #expect(throws: OpError.self) { try op.result(counting([2, 4])) }
    #expect(throws: OpError.self) {
      try SliceGradient(axes: [0], starts: [Int.min], steps: [Int.max], extents: [3])
        .result(counting([2]))
    }
  }

  @Test("Sums undo broadcasting")
  func sums() throws {
    let dY = counting([2, 3])
    #expect(try SumToShape().result(dY, counting([3])) == floats([3, 5, 7]))
    #expect(try SumToShape().result(dY, counting([2, 1])) == floats([3, 12], [2, 1]))
    #expect(try SumToShape().result(dY, Tensor(scalar: Float(0))) == Tensor(scalar: Float(15)))
    #expect(throws: OpError.self) { try SumToShape().result(dY, counting([2])) }
  }

  @Test("Cross-entropy is the mean over rows of the target's logarithms")
  func crossEntropy() throws {
    let logits = Tensor([0.0, 0, 1000, 0], shape: [2, 2])
    let targets = Tensor([0.5, 0.5, 1, 0], shape: [2, 2])
    let results = try SoftmaxCrossEntropy().results([logits, targets], count: 2)
    // log 2 for the first row, nothing for the second, whose exponentials do not overflow.
    #expect(abs(results[0].reals()[0] - 0.34657359027997264) < 1e-15)
    #expect(results[1] == Tensor([0.5, 0.5, 1, 0], shape: [2, 2]))
    let gradient = try SoftmaxCrossEntropyGradient().result(
      Tensor(scalar: 4.0), Tensor([0.25, 0.75, 1, 0], shape: [2, 2]), targets)
    #expect(gradient == Tensor([-0.5, 0.5, 0, 0], shape: [2, 2]))
    #expect(throws: OpError.self) { try SoftmaxCrossEntropy().result(logits, floats([1, 0])) }
  }

  @Test("Dropout keeps its share, scales what it keeps, and depends on the step")
  func dropout() throws {
    let ones = Tensor([Float](repeating: 1, count: 10_000), shape: [100, 100])
    let op = RandomDropout(ratio: 0.25, stream: 3)
    let first = try op.result(ones, Tensor(scalar: Int64(1))).floats()
    #expect(Set(first) == [0, Float(1 / 0.75)])
    // 2500 expected with a standard deviation of 43.
    #expect(abs(first.filter { $0 == 0 }.count - 2500) < 200)
    let second = try op.result(ones, Tensor(scalar: Int64(2))).floats()
    // Two independent masks differ in 3750 places on average.
    #expect(abs(zip(first, second).filter { $0 != $1 }.count - 3750) < 250)
    #expect(try op.result(ones, Tensor(scalar: Int64(1))).floats() == first)
    #expect(throws: OpError.self) {
      try RandomDropout(ratio: 1, stream: 0).result(ones, Tensor(scalar: Int64(1)))
    }
    #expect(throws: OpError.self) { try op.result(ones, Tensor(scalar: Int32(1))) }
  }

  @Test("Gradient descent by hand, with momentum, Nesterov's look ahead and decay")
  func descent() throws {
    let inputs: [Tensor?] = [
      floats([2]), floats([1]), floats([4]), Tensor(scalar: Float(0.5)), Tensor(scalar: Float(2)),
    ]
    let plain = SGDUpdate(momentum: 0.5, weightDecay: 0.25)
    // g = 1 · 2 + 0.25 · 2 = 2.5; v = 0.5 · 4 + 2.5 = 4.5; w = 2 − 0.5 · 4.5.
    #expect(try plain.results(inputs, count: 2) == [floats([-0.25]), floats([4.5])])
    let ahead = SGDUpdate(momentum: 0.5, usesNesterov: true, weightDecay: 0.25)
    #expect(try ahead.results(inputs, count: 2)[0] == floats([-0.375]))
    #expect(throws: OpError.self) { try plain.results(inputs, count: 1) }
    #expect(throws: OpError.missingInput(name: "velocity")) {
      try plain.results([inputs[0], inputs[1], nil, inputs[3]], count: 2)
    }
  }

  @Test("Adam's first step is the rate, whatever the gradient; decay adds to it where decoupled")
  func adam() throws {
    let inputs: [Tensor?] = [
      floats([2]), floats([8]), floats([0]), floats([0]), Tensor(scalar: Float(0.5)),
      Tensor(scalar: Float(1)),
    ]
    let results = try AdamUpdate(beta1: 0.5, beta2: 0.75, epsilon: 0).results(inputs, count: 3)
    #expect(results == [floats([1.5]), floats([4]), floats([16])])
    let decayed = AdamUpdate(
      beta1: 0.5, beta2: 0.75, epsilon: 0, weightDecay: 0.25, decouplesDecay: true)
    #expect(try decayed.results(inputs, count: 3)[0] == floats([1.25]))
  }

  @Test("RMSProp, averages and the clipping of gradients by hand")
  func others() throws {
    let results = try RMSPropUpdate(smoothing: 0.75, epsilon: 0, momentum: 0.5).results(
      [floats([2]), floats([4]), floats([0]), floats([1]), Tensor(scalar: Float(0.5))], count: 3)
    // s = 0.25 · 16, v = 0.5 + 4 / 2.
    #expect(results == [floats([0.75]), floats([4]), floats([2.5])])
    #expect(
      try AverageUpdate().result(floats([4]), floats([8]), Tensor(scalar: Float(0.75)))
        == floats([5]))
    let scale = ClipScale(limit: 2.5)
    #expect(try scale.result(floats([3]), floats([0, 4])) == Tensor(scalar: Float(0.5)))
    #expect(try scale.result(floats([1]), floats([0, 1])) == Tensor(scalar: Float(1)))
    #expect(throws: OpError.self) { try ClipScale(limit: 0).result(floats([1])) }
  }
}
