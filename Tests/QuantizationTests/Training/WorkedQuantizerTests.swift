// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import GraphIR
import Quantization
import TensorCore
import Testing
import Training

@Suite("Quantizers for training, as worked by hand")
struct WorkedQuantizerTests {
  static func quantizer(_ text: String) throws -> any TrainedQuantizer {
    try TrainedQuantizers.family.method(for: MethodChoice(parsing: text))
  }

  static func operand(
    _ role: QuantizedOperand.Role, _ values: [Float], bits: Int, isSigned: Bool = true
  ) -> QuantizedOperand {
    QuantizedOperand(
      role: role, name: "x", bits: bits, isSigned: isSigned, shape: [values.count],
      channelAxis: nil, observed: values)
  }

  private func rounded(
    _ quantizer: any TrainedQuantizer, _ operand: QuantizedOperand
  ) throws -> [Float] {
    let shape = operand.role == .weight ? operand.shape : [1] + operand.shape
    return try RoundingProbe(quantizer, operand, shape: shape).rounded(operand.observed)
  }

  private func near(_ a: [Float], _ b: [Double]) -> Bool {
    // The worked numbers have six digits.
    a.count == b.count && zip(a, b).allSatisfy { abs(Double($0) - $1) < 2e-6 }
  }

  @Test("DoReFa's weights")
  func doReFaWeights() throws {
    let w: [Float] = [-1.5, -0.4, 0.1, 0.9]
    let quantizer = try Self.quantizer("dorefa")
    #expect(
      near(try rounded(quantizer, Self.operand(.weight, w, bits: 2)), [-1, -1.0 / 3, 1.0 / 3, 1]))
    #expect(
      near(
        try rounded(quantizer, Self.operand(.weight, w, bits: 3)),
        [-1, -0.428571, 0.142857, 0.714286]))
  }

  @Test("DoReFa's activations: clipped to 0…1")
  func doReFaActivations() throws {
    let x: [Float] = [0, 0.1, 0.2, 0.4, 0.6, 0.9, 1.5]
    #expect(
      near(
        try rounded(
          try Self.quantizer("dorefa"), Self.operand(.activation, x, bits: 2, isSigned: false)),
        [0, 0, 1.0 / 3, 1.0 / 3, 2.0 / 3, 1, 1]))
  }

  /// α = 6, 2 bits.
  @Test("PACT's activations, and a gradient of 1 for α beyond it")
  func clipping() throws {
    let x: [Float] = [0, 0.5, 0.99, 1.01, 2.9, 3.1, 5.5, 7]
    let operand = Self.operand(.activation, x, bits: 2, isSigned: false)
    let quantizer = try Self.quantizer("pact:alpha=6")
    #expect(try rounded(quantizer, operand) == [0, 0, 0, 2, 2, 4, 6, 6])
    let probe = try RoundingProbe(quantizer, operand, shape: [1, x.count])
    let op = try #require(probe.graph.nodes.last?.op as? FakeQuantize)
    // One element beyond the range gives the step 3 times the scale; α is 3 steps.
    #expect(abs(3 * op.gradientScale * 3 - 1) < 1e-6)
    let options = quantizer.options(
      forParameter: "x/step", standard: ParameterOptions(weightDecay: 0.1))
    #expect(options.weightDecay == 0.1)
  }

  /// c = 0.5, d = 0.4: 3 bits have 3 levels above 0; 0.5 · 3 = 1.5 is rounded to 2.
  @Test("QIL's weights")
  func interval() throws {
    let w: [Float] = [-1, -0.7, -0.3, 0.05, 0.2, 0.5, 0.95]
    let numbers = [0.5, 0.4].map { Tensor(scalar: Float($0)) }
    let x = Tensor(w, shape: [7])
    let y = try IntervalQuantize(levels: 3, isSigned: true).evaluate(
      [x] + numbers, outputCount: 1)
    #expect(near(y[0].floats(), [-1, -2.0 / 3, -1.0 / 3, 0, 0, 2.0 / 3, 1]))
    // Many levels show the transformer alone.
    let fine = IntervalQuantize(levels: 65_536, isSigned: true)
    func transformed(_ exponent: Float) throws -> [Float] {
      try fine.evaluate([x] + numbers + [Tensor(scalar: exponent)], outputCount: 1)[0].floats()
    }
    for (found, wanted) in zip(
      try transformed(1) + transformed(0.5),
      [-1, -0.75, -0.25, 0, 0.125, 0.5, 1, -1, -0.866025, -0.5, 0, 0.353553, 0.707107, 1])
    { #expect(abs(Double(found) - wanted) < 1 / 65_536) }
  }

  /// Against differences of the transformer, whose rounding many levels leave no trace of.
  @Test("QIL's gradients", arguments: [Float(1), 0.5, 1.7])
  func intervalGradients(exponent: Float) throws {
    let op = IntervalQuantize(levels: 65_536, isSigned: true)
    for x: Float in [-0.7, -0.3, 0.25, 0.5, 0.8] {
      func value(_ x: Float, _ c: Float, _ d: Float, _ e: Float) -> Double {
        Double(op.code(of: x, .init(centre: c, halfWidth: d, exponent: e))) / 65_536
      }
      let h: Float = 1.0 / 64
      let inputs = [Float(1), x, 0.5, 0.4, exponent].map { Tensor(scalar: $0) }
      let found = try IntervalQuantizeGradient(of: op).evaluate(inputs, outputCount: 4)
        .map { Double($0.floats()[0]) }
      let width = Double(2 * h)
      let differences = [
        (value(x + h, 0.5, 0.4, exponent) - value(x - h, 0.5, 0.4, exponent)) / width,
        (value(x, 0.5 + h, 0.4, exponent) - value(x, 0.5 - h, 0.4, exponent)) / width,
        (value(x, 0.5, 0.4 + h, exponent) - value(x, 0.5, 0.4 - h, exponent)) / width,
        (value(x, 0.5, 0.4, exponent + h) - value(x, 0.5, 0.4, exponent - h)) / width,
      ]
      for (a, b) in zip(found, differences) {
        // Third derivatives below 60 times h² / 6, and a level of rounding over 2 h.
        #expect(abs(a - b) < 0.006, "\(x): \(a) for \(b)")
      }
    }
  }

  @Test("LSQ+'s offset moves the grid")
  func offset() throws {
    let x: [Float] = [-0.6, -0.3, -0.1, 0.12, 0.4, 0.9]
    let operand = Self.operand(.activation, x, bits: 2)
    let quantizer = try Self.quantizer("lsq+")
    let probe = try RoundingProbe(quantizer, operand, shape: [1, 6])
    // From −0.6 to 0.9 in three steps.
    #expect(probe.parameters["x/offset"]?.floats() == [-0.6])
    #expect(abs((probe.parameters["x/step"]?.floats().first ?? 0) - 0.5) < 1e-6)
    let rounding = quantizer.rounding(
      of: operand,
      values: ["x/step": Tensor(scalar: Float(0.25)), "x/offset": Tensor(scalar: Float(-0.3))])
    let grid = try #require(rounding.grid)
    #expect(grid.codes == 0...3 && grid.shift == -0.3 && grid.offset == -0.3)
  }

  /// The range [−1, 2] on 256 codes: S = 3 / 255, Z = 85.
  @Test("Extremes give a grid with a whole zero point, and move as an average")
  func extremes() throws {
    let x: [Float] = [-1, 0, 0.71, 2]
    let operand = Self.operand(.activation, x, bits: 8)
    let quantizer = try Self.quantizer("minmax:momentum=0.9")
    let grid = try #require(quantizer.rounding(of: operand, values: [:]).grid)
    #expect(abs(grid.step - 0.01176471) < 1e-8 && grid.codes == -85...170)
    let probe = try RoundingProbe(quantizer, operand, shape: [1, 4])
    let results = try Interpreter(probe.graph).run(
      probe.parameters.merging(["x": Tensor([4, -3, 0, 1] as [Float], shape: [1, 4])]) { $1 })
    let range = try #require(results.last?.floats())
    #expect(near(range, [-1 * 0.9 - 3 * 0.1, 2 * 0.9 + 4 * 0.1]))
  }

  @Test("A chosen range loses less than the extremes at few bits")
  func chosenRange() throws {
    var random = RandomSource(seed: 8)
    // Sums of uniform numbers have thin tails.
    let w = (0..<512).map { _ in
      Float((0..<6).reduce(0.0) { sum, _ in sum + random.nextUniform() - 0.5 })
    }
    let operand = Self.operand(.weight, w, bits: 3)
    func error(_ text: String) throws -> Double {
      zip(w, try rounded(try Self.quantizer(text), operand))
        .reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
    }
    #expect(try error("minmax:range=mse") < error("minmax") * 0.9)
  }
}
