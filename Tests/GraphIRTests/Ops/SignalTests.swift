// SPDX-License-Identifier: Apache-2.0
import Foundation
import GraphIR
import TensorCore
import Testing

@Suite("Transforms, recurrences and random numbers")
struct SignalTests {
  private func close(_ tensor: Tensor, _ expected: [Float], _ shape: [Int]) -> Bool {
    tensor.shape == shape && zip(tensor.floats(), expected).allSatisfy { abs($0 - $1) < 1e-5 }
  }

  @Test("The Fourier transform and its inverses")
  func fourier() throws {
    let signal = floats([1, 2, 3, 4], [1, 4, 1])
    let spectrum = try FourierTransform().result(signal)
    #expect(close(spectrum, [10, 0, -2, 2, -2, 0, -2, -2], [1, 4, 2]))
    let back = try FourierTransform(isInverse: true).result(spectrum)
    #expect(close(back, [1, 0, 2, 0, 3, 0, 4, 0], [1, 4, 2]))
    let half = try FourierTransform(isOnesided: true).result(signal)
    #expect(close(half, [10, 0, -2, 2, -2, 0], [1, 3, 2]))
    let real = try FourierTransform(isInverse: true, isOnesided: true).result(half)
    #expect(close(real, [1, 2, 3, 4], [1, 4, 1]))
    let padded = try FourierTransform().result(signal, Tensor(scalar: Int64(1)))
    #expect(close(padded, [1, 0], [1, 1, 2]))
    #expect(throws: OpError.self) { try FourierTransform().result(counting([1, 4, 3])) }
    #expect(throws: OpError.self) {
      try FourierTransform().result(signal, nil, Tensor(scalar: Int64(2)))
    }
  }

  @Test("Spectra of parts of a signal")
  func shortTime() throws {
    let signal = floats([1, 1, 3, 5], [1, 4, 1])
    let result = try ShortTimeFourierTransform().result(
      signal, Tensor(scalar: Int64(2)), floats([1, 1]))
    #expect(close(result, [2, 0, 0, 0, 8, 0, -2, 0], [1, 2, 2, 2]))
    #expect(throws: OpError.self) {
      try ShortTimeFourierTransform().result(signal, Tensor(scalar: Int64(0)), floats([1, 1]))
    }
    #expect(throws: OpError.missingInput(name: "frame_length")) {
      try ShortTimeFourierTransform().result(signal, Tensor(scalar: Int64(1)))
    }
  }

  @Test("Mel filters are triangles")
  func mel() throws {
    let matrix = try MelWeightMatrix().result(
      Tensor(scalar: Int64(1)), Tensor(scalar: Int64(8)), Tensor(scalar: Int64(8)),
      Tensor(scalar: Float(0)), Tensor(scalar: Float(4)))
    // Edges at 0, 1.33 and 2.66 Hz of 9 bins per 8 Hz: bins 0, 1 and 2.
    #expect(close(matrix, [0, 1, 0, 0, 0], [5, 1]))
    #expect(throws: OpError.self) {
      try MelWeightMatrix().result(
        Tensor(scalar: Int64(1)), Tensor(scalar: Int64(8)), Tensor(scalar: Int64(8)),
        Tensor(scalar: Float(0)), Tensor(scalar: Float(400)))
    }
  }

  @Test("Linear attention writes products of keys and values, decays and corrects")
  func linearAttention() throws {
    func run(_ rule: LinearAttention.Rule, _ gates: [Tensor?]) throws -> [Tensor] {
      let two = floats([1, 1], [1, 2, 1])
      return try LinearAttention(rule: rule, queryHeads: 1, keyHeads: 1, scale: 1).results(
        [two, two, floats([2, 4], [1, 2, 1]), nil] + gates, count: 2)
    }
    #expect(try run(.linear, []) == [floats([2, 6], [1, 2, 1]), floats([6], [1, 1, 1, 1])])
    let decay = floats([0, Float(log(0.5))], [1, 2, 1])
    #expect(try run(.gated, [decay])[0] == floats([2, 5], [1, 2, 1]))
    let rate = floats([1, 0.5], [1, 2, 1])
    #expect(try run(.delta, [nil, rate])[0] == floats([2, 3], [1, 2, 1]))
    #expect(throws: OpError.missingInput(name: "decay")) { try run(.gated, []) }
  }

  @Test("Random numbers follow the seed, and their distribution")
  func random() throws {
    let op = RandomDraw(.normal(mean: 3, deviation: 2), shape: [4000], seed: 5)
    let values = try op.results([])[0].reals()
    #expect(try op.results([])[0].reals() == values)
    let mean = values.reduce(0, +) / 4000
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000
    // Six standard errors of mean and variance.
    #expect(abs(mean - 3) < 0.19 && abs(variance - 4) < 0.54)
    let uniform = try RandomDraw(.uniform(low: -1, high: 1), seed: 2).result(counting([64]))
    #expect(uniform.floats().allSatisfy { (-1..<1).contains($0) })
    let coins = try RandomDraw(.bernoulli).result(floats([0, 1]))
    #expect(coins == floats([0, 1]))
    let classes = try RandomDraw(.multinomial(count: 3)).result(
      floats([-.infinity, 0], [1, 2]))
    #expect(classes == Tensor([Int32(1), 1, 1], shape: [1, 3]))
    #expect(!op.isPure)
    #expect(throws: OpError.self) { try RandomDraw(.bernoulli).result(list(1)) }
  }
}
