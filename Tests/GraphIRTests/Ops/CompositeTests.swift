// SPDX-License-Identifier: Apache-2.0
import Foundation
import GraphIR
import TensorCore
import Testing

@Suite("Operators that are functions of others follow their bodies")
struct CompositeTests {
  @Test("Attention weighs values by the softmax of scaled products")
  func attention() throws {
    // Products 0 and log 3 give the weights ¼ and ¾.
    let query = floats([1], [1, 1, 1, 1])
    let key = floats([0, Float(log(3.0))], [1, 1, 2, 1])
    let value = floats([4, 8], [1, 1, 2, 1])
    let result = try Attention(scale: 1).result(query, key, value)
    #expect(abs(result.floats()[0] - 7) < 1e-5)
    let masked = try Attention(scale: 1).result(
      query, key, value, Tensor([UInt8(1), 0], shape: [1, 2]).converted(to: .bool))
    #expect(masked == floats([4], [1, 1, 1, 1]))
    let closed = try Attention(scale: 1).result(
      query, key, value, floats([-.infinity, -.infinity], [1, 2]))
    #expect(closed == floats([0], [1, 1, 1, 1]))
  }

  @Test("Attention sees the past, in windows, and shares key heads")
  func attentionOverPast() throws {
    let zero = floats([0, 0], [1, 1, 2, 1])
    let values = floats([2, 4], [1, 1, 2, 1])
    // Scores are equal, so each row is the mean of what it sees.
    #expect(
      try Attention(isCausal: true).result(zero, zero, values)
        == floats([2, 3], [1, 1, 2, 1]))
    let past = floats([0], [1, 1, 1, 1])
    let outputs = try Attention(isCausal: true).results(
      [zero, zero, values, nil, past, floats([6], [1, 1, 1, 1])], count: 3)
    #expect(outputs[0] == floats([4, 4], [1, 1, 2, 1]))
    #expect(outputs[2] == floats([6, 2, 4], [1, 1, 3, 1]))
    var narrow = Attention()
    narrow.leftWindow = 0
    narrow.rightWindow = 0
    #expect(try narrow.result(zero, zero, values) == values)
    let heads = try Attention(queryHeads: 2, keyHeads: 1).result(
      floats([0, 0], [1, 1, 2]), floats([0], [1, 1, 1]), floats([5], [1, 1, 1]))
    #expect(heads == floats([5, 5], [1, 1, 2]))
  }

  @Test("Attention refuses inputs without heads, and heads that do not divide")
  func attentionErrors() {
    let flat = floats([0], [1, 1, 1])
    #expect(throws: OpError.self) { try Attention().result(flat, flat, flat) }
    let two = counting([1, 2, 1, 1])
    let three = counting([1, 3, 1, 1])
    #expect(throws: OpError.self) { try Attention().result(three, two, two) }
    #expect(throws: OpError.missingInput(name: "V")) { try Attention().result(two, two, nil) }
  }

  @Test("Rotary embedding turns pairs by the angle of their position")
  func rotary() throws {
    let x = floats([1, 2, 3, 4], [1, 1, 1, 4])
    let (cosines, sines) = (floats([0, 1], [1, 1, 2]), floats([1, 0], [1, 1, 2]))
    // Halves: (1, 3) turns by a quarter, (2, 4) stays.
    #expect(
      try RotaryEmbedding().result(x, cosines, sines) == floats([-3, 2, 1, 4], [1, 1, 1, 4]))
    #expect(
      try RotaryEmbedding(isInterleaved: true).result(x, cosines, sines)
        == floats([-2, 1, 3, 4], [1, 1, 1, 4]))
    #expect(throws: OpError.self) {
      try RotaryEmbedding(turnedCount: 3).result(x, cosines, sines)
    }
  }

  @Test("Normalizations divide by what they measure")
  func normalizations() throws {
    let x = floats([3, 4], [1, 2])
    let factor = Float(1 / 12.5.squareRoot())
    let scaled = try RMSNormalization(epsilon: 0).result(x, floats([1, 2])).floats()
    #expect(abs(scaled[0] - 3 * factor) < 1e-6 && abs(scaled[1] - 8 * factor) < 1e-6)
    let groups = try GroupNormalization(groups: 2, epsilon: 0).result(
      floats([1, 3, 10, 30], [1, 4, 1]), floats([1, 1, 2, 2]), floats([0, 0, 1, 1]))
    #expect(groups == floats([-1, 1, -1, 3], [1, 4, 1]))
    #expect(throws: OpError.self) {
      try GroupNormalization(groups: 3).result(
        counting([1, 4, 1]), counting([4]), counting([4]))
    }
    #expect(try LpNormalization(order: 2).result(x) == floats([0.6, 0.8], [1, 2]))
    #expect(try LpNormalization(order: 1).result(floats([0, 0])) == floats([0, 0]))
    #expect(throws: OpError.self) { try LpNormalization(order: 3).result(x) }
    let centered = try MeanVarianceNormalization(axes: [0]).result(floats([1, 3]))
    #expect(centered.floats().map { $0.rounded() } == [-1, 1])
    #expect(try Hardmax(axis: 0).result(floats([1, 5, 5])) == floats([0, 1, 0]))
    #expect(
      try Hardmax(axis: 0, flattensTrailingAxes: true).result(floats([1, 2, 9, 4], [2, 2]))
        == floats([0, 0, 1, 0], [2, 2]))
  }

  @Test("Losses take the class of each sample, its weight, and none of an ignored class")
  func losses() throws {
    let logarithms = floats([-1, -2, -3, -4], [2, 2])
    let loss = NegativeLogLikelihoodLoss(reduction: .none)
    #expect(try loss.result(logarithms, list(0, 1)) == floats([1, 4]))
    let weighted = NegativeLogLikelihoodLoss(reduction: .mean)
    #expect(
      try weighted.result(logarithms, list(0, 1), floats([1, 3])).floats() == [13.0 / 4])
    let ignoring = NegativeLogLikelihoodLoss(reduction: .mean, ignoredClass: -7)
    #expect(try ignoring.result(logarithms, list(-7, 1)).floats() == [4])
    let outputs = try SoftmaxCrossEntropyLoss(reduction: .sum).results(
      [floats([0, 0], [1, 2]), list(1)], count: 2)
    #expect(abs(outputs[0].floats()[0] - Float(log(2.0))) < 1e-6)
    #expect(outputs[1].shape == [1, 2])
    #expect(throws: OpError.self) { try loss.result(logarithms, list(0, 2)) }
  }

  @Test("Grids, crops and windows follow the sizes that they are given")
  func geometry() throws {
    let identity = floats([1, 0, 0, 0, 1, 0], [1, 2, 3])
    let grid = try AffineGrid(alignsCorners: true).result(identity, list(1, 1, 2, 2))
    #expect(grid == floats([-1, -1, 1, -1, -1, 1, 1, 1], [1, 2, 2, 2]))
    #expect(throws: OpError.self) { try AffineGrid().result(identity, list(1, 1, 2)) }
    #expect(
      try CenterCropPad().result(counting([5]), list(2)) == floats([1, 2]))
    #expect(
      try CenterCropPad(axes: [-1]).result(floats([1, 2]), list(5)) == floats([0, 1, 2, 0, 0]))
    let window = try SignalWindow(.hann, isPeriodic: true).result(Tensor(scalar: Int64(4)))
    #expect(zip(window.floats(), [0, 0.5, 1, 0.5]).allSatisfy { abs($0 - $1) < 1e-6 })
    let symbolic = try SignalWindow(.hamming).type(
      Operand(type: TensorType(.int64, [])))
    #expect(symbolic == TensorType(.float32, [.unknown]))
  }

  @Test("Gated units and causal convolutions")
  func gates() throws {
    let result = try SwiGLU().result(floats([0, 1]), floats([3, 2])).floats()
    #expect(result[0] == 0 && abs(result[1] - 2 / (1 + Float(exp(-1.0)))) < 1e-6)
    #expect(throws: OpError.self) { try SwiGLU().result(floats([1]), floats([1, 2])) }
    let outputs = try CausalConvWithState().results(
      [floats([1, 2, 3], [1, 1, 3]), floats([10, 1], [1, 1, 2]), nil, floats([5], [1, 1, 1])],
      count: 2)
    #expect(outputs[0] == floats([51, 12, 23], [1, 1, 3]))
    #expect(outputs[1] == floats([3], [1, 1, 1]))
  }

  @Test("A symbolic extent passes through, and an unknown rank leaves the type open")
  func symbols() throws {
    let x = operand(.float32, .symbol("N"), 4)
    let type = try RMSNormalization().type(x, operand(.float32, 4))
    #expect(type == TensorType(.float32, [.symbol("N"), 4]))
    let unknown = Operand(type: TensorType(.float32, nil))
    #expect(try RMSNormalization().type(unknown, operand(.float32, 4)) == nil)
    let cost = Attention().cost(
      inputs: Array(repeating: TensorType(.float32, shape: [1, 2, 3, 4]), count: 3),
      outputs: [nil])
    #expect(cost == OpCost(multiplyAccumulates: 2 * 2 * 3 * 3 * 4))
  }
}
