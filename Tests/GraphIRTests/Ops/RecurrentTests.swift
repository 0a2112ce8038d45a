// SPDX-License-Identifier: Apache-2.0
import Foundation
import GraphIR
import TensorCore
import Testing

@Suite("Recurrent layers follow their equations")
struct RecurrentTests {
  /// One unit over two steps, the state added to the input.
  @Test("RNN in both directions, with lengths and with samples first")
  func plain() throws {
    let op = Recurrent(.rnn, activations: [.affine(alpha: 1, beta: 0)])
    let (x, one) = (floats([1, 2], [2, 1, 1]), floats([1], [1, 1, 1]))
    let outputs = try op.results([x, one, one], count: 2)
    #expect(outputs == [floats([1, 3], [2, 1, 1, 1]), floats([3], [1, 1, 1])])
    let reverse = Recurrent(
      .rnn, direction: .reverse, activations: [.affine(alpha: 1, beta: 0)])
    #expect(try reverse.result(x, one, one) == floats([3, 2], [2, 1, 1, 1]))
    let short = try op.results(
      [x, one, one, nil, Tensor([Int32(1)], shape: [1])], count: 2)
    #expect(short == [floats([1, 0], [2, 1, 1, 1]), floats([1], [1, 1, 1])])
    let both = Recurrent(
      .rnn, direction: .bidirectional,
      activations: Array(repeating: .affine(alpha: 1, beta: 0), count: 2), isBatchFirst: true)
    let twice = floats([1, 1], [2, 1, 1])
    #expect(
      try both.results([floats([1, 2], [1, 2, 1]), twice, twice], count: 2)
        == [floats([1, 3, 3, 2], [1, 2, 2, 1]), floats([3, 3], [1, 2, 1])])
  }

  @Test("GRU keeps a part of its state and resets the other")
  func gated() throws {
    // Zero weights: both gates are a half, and what is new is tanh of the bias.
    let zero = floats([0, 0, 0], [1, 3, 1])
    let bias = floats([0, 0, 0, 0, 0, 2], [1, 6])
    let first = floats([4], [1, 1, 1])
    for (isLinear, expected) in [(false, 0.5 * tanh(2.0) + 2), (true, 0.5 * tanh(1.0) + 2)] {
      let result = try Recurrent(.gru(linearBeforeReset: isLinear)).result(
        floats([0], [1, 1, 1]), zero, zero, bias, nil, first)
      #expect(abs(Double(result.floats()[0]) - expected) < 1e-6)
    }
  }

  @Test("LSTM forgets, writes and reads its cell, with peepholes and a bound")
  func memory() throws {
    let zero = floats([0, 0, 0, 0], [1, 4, 1])
    let one = floats([1], [1, 1, 1])
    let outputs = try Recurrent(.lstm(couplesInputAndForget: false)).results(
      [floats([0], [1, 1, 1]), zero, zero, nil, nil, one, floats([2], [1, 1, 1])], count: 3)
    #expect(abs(outputs[2].floats()[0] - 1) < 1e-6)
    #expect(abs(outputs[1].floats()[0] - Float(0.5 * tanh(1.0))) < 1e-6)
    // The peephole of the input gate sees 2, bounded to 1; the forget gate is one less it.
    let coupled = Recurrent(.lstm(couplesInputAndForget: true), clip: 1)
    let peepholes = floats([1, 0, 0], [1, 3])
    let cell = try coupled.results(
      [
        floats([0], [1, 1, 1]), zero, zero, nil, nil, one, floats([2], [1, 1, 1]), peepholes,
      ], count: 3)[2]
    let gate = 1 / (1 + exp(-1.0))
    #expect(abs(Double(cell.floats()[0]) - 2 * (1 - gate)) < 1e-6)
  }

  @Test("Operands that do not fit are named")
  func errors() {
    let op = Recurrent(.gru(linearBeforeReset: false))
    let (x, w, r) = (counting([2, 1, 3]), counting([1, 6, 3]), counting([1, 6, 2]))
    #expect(throws: OpError.missingInput(name: "R")) { try op.result(x, w, nil) }
    #expect(throws: OpError.self) { try op.result(x, counting([1, 6, 4]), r) }
    #expect(throws: OpError.self) { try op.result(x, w, r, nil, Tensor([Int32(3)], shape: [1])) }
    #expect(throws: OpError.self) {
      try Recurrent(.rnn, activations: []).result(x, counting([1, 2, 3]), counting([1, 2, 2]))
    }
    let cost = op.cost(
      inputs: [x, w, r].map { TensorType($0.elementType, shape: $0.shape) }, outputs: [nil])
    #expect(cost == OpCost(multiplyAccumulates: 2 * 6 * 5))
  }
}
