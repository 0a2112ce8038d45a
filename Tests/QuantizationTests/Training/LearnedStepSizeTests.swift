// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import GraphIR
import Quantization
import TensorCore
import Testing
import Training

@Suite("Learned step size")
struct LearnedStepSizeTests {
  private static let v: [Float] = [-1.6, -0.6, 0.2, 0.26, 0.74, 0.9]

  private func quantizer(_ values: [String: String] = [:]) throws -> LearnedStepSize {
    try LearnedStepSize(options: MethodOptions(values, for: LearnedStepSize.card))
  }

  private func operand(_ role: QuantizedOperand.Role = .weight) -> QuantizedOperand {
    QuantizedOperand(
      role: role, name: "w", bits: 2, isSigned: role == .weight, shape: [2, 3], channelAxis: 0,
      observed: Self.v)
  }

  /// Mean magnitude 4.3 / 6, Q_P = 1, so the step is 2 · 4.3 / 6 = 1.433333.
  @Test("begins with the step worked by hand")
  func initialStep() throws {
    let quantizer = try quantizer(["start": "mean"])
    let probe = try RoundingProbe(quantizer, operand(), shape: [2, 3])
    let step = try #require(probe.parameters["w/step"]?.floats().first)
    #expect(abs(step - 1.433333) < 1e-6)
    // 1 bit less for the sign of activations: Q_P = 3.
    let activation = try RoundingProbe(quantizer, operand(.activation), shape: [1, 2, 3])
    let other = try #require(activation.parameters["w/step"]?.floats().first)
    #expect(abs(other - 1.433333 / Float(3).squareRoot()) < 1e-6)
  }

  /// A step of 1 has all but the outlier on the grid −2…1; wider ones, as the mean magnitude asks
  /// for, round everything else away.
  @Test("begins with the step of the least error")
  func leastError() throws {
    let values: [Float] = [-2, -1, 1, 1, 0, 4]
    var operand = operand()
    operand.observed = values
    func step(_ options: [String: String]) throws -> Float {
      let probe = try RoundingProbe(try quantizer(options), operand, shape: [2, 3])
      return try #require(probe.parameters["w/step"]?.floats().first)
    }
    func error(_ step: Float) -> Float {
      values.reduce(0) { sum, value in
        let code = min(max(value / step, -2), 1).rounded(.toNearestOrEven)
        return sum + (value - code * step) * (value - code * step)
      }
    }
    let found = try step([:])
    #expect(error(found) <= error(try step(["start": "mean"])))
    #expect((1...100).allSatisfy { error(found) <= error(4 * Float($0) / 100) + 1e-5 })
    operand.observed = [Float](repeating: 0, count: 6)
    #expect(try step([:]) == 2)
  }

  @Test("scales the step's gradient by 1 / √(N Q_P)")
  func gradientScale() throws {
    let probe = try RoundingProbe(try quantizer(), operand(), shape: [2, 3])
    let op = try #require(probe.graph.nodes.first?.op as? FakeQuantize)
    #expect(abs(op.gradientScale - 0.408248) < 1e-6)
    #expect(op.codes == -2...1 && op.stepGradient == .learned && !op.includesEnds)
  }

  /// With 8 bits the least error has a step of 1.6 / 127 or less, the mean magnitude one of
  /// 2 · 4.3 / 6 / √127, so the gradient is scaled by at most the square of their ratio.
  @Test("damps the gradient of a fine step")
  func damping() throws {
    var operand = operand()
    operand.bits = 8
    func scale(_ options: [String: String]) throws -> Float {
      let probe = try RoundingProbe(try quantizer(options), operand, shape: [2, 3])
      return try #require((probe.graph.nodes.first?.op as? FakeQuantize)?.gradientScale)
    }
    let usual = try scale(["start": "mean"])
    #expect(abs(usual - 1 / Float(6 * 127).squareRoot()) < 1e-6)
    let ratio: Float = (1.6 / 127) / (2 * 4.3 / 6 / Float(127).squareRoot())
    #expect(try scale([:]) <= usual * ratio * ratio * 1.001)
    #expect(try scale([:]) > usual * ratio * ratio / 4)
  }

  @Test("has a step for each channel if that is asked for")
  func channels() throws {
    let quantizer = try quantizer(["granularity": "channel", "start": "mean"])
    let probe = try RoundingProbe(quantizer, operand(), shape: [2, 3])
    let steps = try #require(probe.parameters["w/step"]?.floats())
    #expect(zip(steps, [1.6, 1.9 * 2 / 3]).allSatisfy { abs($0 - Float($1)) < 1e-6 })
    let codes = quantizer.codes(
      of: Tensor(Self.v, shape: [2, 3]), operand(), values: probe.parameters)
    #expect(codes.axis == 0 && codes.codes == [-1, 0, 0, 0, 1, 1])
  }

  @Test("lets steps keep their values: no decay")
  func policy() throws {
    let options = try quantizer(["rate": "0.1"]).options(
      forParameter: "w/step", standard: ParameterOptions(weightDecay: 0.1))
    #expect(options.weightDecay == 0 && options.rateFactor == 0.1)
  }
}
