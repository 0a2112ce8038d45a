// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Normalizations follow their definitions")
struct NormalizationTests {
  @Test("Batch normalization uses the given statistics of each channel")
  func batch() throws {
    let x = floats([1, 2, 3, 4], [1, 2, 2])
    let result = try BatchNormalization(epsilon: 0).result(
      x, floats([1, 2]), floats([0, 1]), floats([1, 3]), floats([1, 4]))
    #expect(result == floats([0, 1, 1, 2], [1, 2, 2]))
    let vector = try BatchNormalization(epsilon: 0).result(
      floats([1, 3]), floats([2]), floats([0]), floats([1]), floats([4]))
    #expect(vector == floats([0, 2]))
  }

  @Test("In training it uses those of the batch, and moves the running ones")
  func training() throws {
    let x = floats([1, 3, 5, 7], [2, 1, 2])
    let op = BatchNormalization(epsilon: 0, momentum: 0.75, trainingMode: true)
    let results = try op.results(
      [x, floats([1]), floats([0]), floats([8]), floats([1])], count: 3)
    // Mean 4, population variance 5.
    #expect(results[0].floats() == [-3, -1, 1, 3].map { Float($0 / 5.0.squareRoot()) })
    #expect(results[1] == floats([7]))
    #expect(results[2] == floats([2]))
  }

  @Test("Batch normalization names the operand that does not fit")
  func batchErrors() {
    let x = counting([1, 2, 2])
    let two = floats([1, 1])
    let op = BatchNormalization()
    #expect(
      throws: OpError.invalidShape(input: "mean", found: [3], expected: "[2]")
    ) { try op.result(x, two, two, floats([1, 1, 1]), two) }
    #expect(throws: OpError.missingInput(name: "var")) { try op.result(x, two, two, two, nil) }
    #expect(throws: OpError.self) { try op.result(Tensor(scalar: Float(1)), two, two, two, two) }
    #expect(throws: OpError.self) { try op.results([x, two, two, two, two], count: 3) }
  }

  @Test("Layer normalization also gives means and inverse deviations")
  func layer() throws {
    let x = floats([1, 3, 2, 6], [2, 2])
    let results = try LayerNormalization(epsilon: 0).results(
      [x, floats([1, 2]), floats([0, 1])], count: 3)
    #expect(results[0] == floats([-1, 3, -1, 3], [2, 2]))
    #expect(results[1] == floats([2, 4], [2, 1]))
    #expect(results[2] == floats([1, 0.5], [2, 1]))
    #expect(throws: OpError.self) { try LayerNormalization(axis: 2).result(x, floats([1, 2])) }
    #expect(throws: OpError.self) { try LayerNormalization().result(x, floats([1, 2, 3])) }
  }

  @Test("Layer normalization over all axes, with a scale that broadcasts")
  func wholeLayer() throws {
    let x = floats([-1, 1, -1, 1], [1, 2, 2])
    let op = LayerNormalization(axis: 0, epsilon: 0)
    #expect(try op.result(x, floats([2])) == floats([-2, 2, -2, 2], [1, 2, 2]))
  }

  @Test("Instance normalization sees one channel of one sample")
  func instance() throws {
    let x = floats([1, 3, 10, 30], [1, 2, 2])
    let op = InstanceNormalization(epsilon: 0)
    #expect(
      try op.result(x, floats([1, 2]), floats([0, 5])) == floats([-1, 1, 3, 7], [1, 2, 2]))
    #expect(throws: OpError.self) { try op.result(x, floats([1]), floats([0])) }
    #expect(throws: OpError.self) {
      try op.result(counting([2, 2]), floats([1, 2]), floats([0, 5]))
    }
  }

  @Test("Local response normalization looks at neighbouring channels, more of them ahead")
  func localResponse() throws {
    let x = floats([1, 2, 3], [1, 3, 1])
    let odd = LocalResponseNormalization(size: 3, alpha: 3, beta: 1, bias: 1)
    #expect(try odd.result(x).floats() == [Float(1) / 6, Float(2) / 15, Float(3) / 14])
    let even = LocalResponseNormalization(size: 2, alpha: 2, beta: 1, bias: 1)
    #expect(try even.result(x).floats() == [Float(1) / 6, Float(2) / 14, Float(3) / 10])
    #expect(throws: OpError.self) { try LocalResponseNormalization(size: 0).result(x) }
    #expect(throws: OpError.self) { try LocalResponseNormalization(size: 1).result(floats([1])) }
  }

  @Test("Types are those of the input")
  func types() throws {
    let x = operand(.float32, .symbol("N"), 3, .unknown)
    let vector = operand(.float32, 3)
    #expect(
      try BatchNormalization().type(x, vector, vector, vector, vector)?.description
        == "float32 N×3×?")
    let types = try LayerNormalization(axis: 1).inferTypes([x, vector], outputCount: 3)
    #expect(types[2]?.description == "float32 N×1×1")
  }
}

@Suite("Softmax follows its definition")
struct SoftmaxTests {
  @Test("Exponentials sum to one along the axis, however large")
  func axis() throws {
    let x = floats([0, 1000, 0, 1000], [2, 2])
    #expect(try Softmax(axis: 0).result(x).floats() == [0.5, 0.5, 0.5, 0.5])
    #expect(try Softmax(axis: -1).result(x).floats() == [0, 1, 0, 1])
    #expect(try Softmax(axis: 1, isLogarithm: true).result(x).floats() == [-1000, 0, -1000, 0])
  }

  @Test("The form before operator set 13 normalizes all axes from the given one on")
  func flattened() throws {
    let x = floats([Float](repeating: 2, count: 8), [2, 2, 2])
    #expect(try Softmax(axis: 1, flattensTrailingAxes: true).result(x).floats().first == 0.25)
    #expect(try Softmax(axis: 0, flattensTrailingAxes: true).result(x).floats().first == 0.125)
    #expect(try Softmax(axis: 1).result(x).floats().first == 0.5)
  }

  @Test("Axes out of range are errors and empty tensors stay empty")
  func edges() throws {
    #expect(throws: OpError.self) { try Softmax(axis: 2).result(counting([2, 2])) }
    #expect(throws: OpError.self) { try Softmax().result(Tensor(scalar: Float(1))) }
    #expect(throws: OpError.self) { try Softmax().result(counting([2], .int32)) }
    #expect(try Softmax().result(counting([2, 0])).shape == [2, 0])
  }
}
