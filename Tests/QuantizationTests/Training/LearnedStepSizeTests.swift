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
    let probe = try RoundingProbe(try quantizer(), operand(), shape: [2, 3])
    let step = try #require(probe.parameters["w/step"]?.floats().first)
    #expect(abs(step - 1.433333) < 1e-6)
    // 1 bit less for the sign of activations: Q_P = 3.
    let activation = try RoundingProbe(try quantizer(), operand(.activation), shape: [1, 2, 3])
    let other = try #require(activation.parameters["w/step"]?.floats().first)
    #expect(abs(other - 1.433333 / Float(3).squareRoot()) < 1e-6)
  }

  @Test("scales the step's gradient by 1 / √(N Q_P)")
  func gradientScale() throws {
    let probe = try RoundingProbe(try quantizer(), operand(), shape: [2, 3])
    let op = try #require(probe.graph.nodes.first?.op as? FakeQuantize)
    #expect(abs(op.gradientScale - 0.408248) < 1e-6)
    #expect(op.codes == -2...1 && op.stepGradient == .learned && !op.includesEnds)
  }

  @Test("has a step for each channel if that is asked for")
  func channels() throws {
    let quantizer = try quantizer(["granularity": "channel"])
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
