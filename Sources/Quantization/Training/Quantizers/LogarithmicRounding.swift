// SPDX-License-Identifier: Apache-2.0
public import CompressionCore
public import GraphIR
public import TensorCore
public import Training

/// Rounds weights and activations to powers of 2, or of √2, and 0.
///
/// Source: Miyashita, Lee, Murmann, "Convolutional Neural Networks using Logarithmic Data
/// Representation", 2016, section 3.1: codes of `b` bits have the exponents `FSR − 2^b + 1` to
/// `FSR − 1` and 0; where values have a sign, it takes one of the bits. Gradients pass the rounding
/// as they are. Differs in four ways: FSR, which the source chooses by hand, has the least squared
/// error over the values observed; gradients are not rounded; exponents below −120 are left out,
/// and their codes unused; and operands of 8 bits, by default the first and the last layer's, among
/// them the network's input, have a learned step, as more exponents round nothing finer.
public struct LogarithmicRounding: TrainedQuantizer {
  public static let card = MethodCard(
    name: "log", summary: "Rounds weights and activations to powers of 2 or of √2.",
    paper: "Miyashita et al., \"Convolutional Neural Networks using Logarithmic Data "
      + "Representation\", 2016",
    shrinks: "weights and activations to 2…7 bits; those of 8 bits have even steps",
    speedsUp: "nothing on processors that multiply as fast as they shift, as this kind does: "
      + "layers run on reals",
    options: [
      MethodOption(
        "base", standard: "2", accepted: "2, sqrt2",
        summary: "what powers are taken of"),
      MethodOption(
        "fsr", standard: "auto", accepted: "auto, or a whole number from -100 to 100",
        summary: "the exponent above the greatest; auto takes the least squared error"),
      MethodOption(
        "rate", standard: "1", accepted: "a number above 0",
        summary: "factor on the learning rate of the steps of 8-bit operands"),
    ])

  /// What powers are taken of.
  public enum Base: String, Sendable, CaseIterable {
    case two = "2"
    case squareRootOfTwo = "sqrt2"
  }

  public var base: Base

  /// `nil` for the one with the least error.
  public var fullScaleRange: Int?
  private let steps: LearnedStepSize

  public init(options: MethodOptions) throws(CompressionError) {
    base = try options.choice("base")
    fullScaleRange =
      options.text("fsr") == "auto" ? nil : try options.integer("fsr", in: -100...100)
    steps = LearnedStepSize(
      rateFactor: try options.number("rate", in: .leastNonzeroMagnitude...1e6))
  }

  private func isStepped(_ operand: QuantizedOperand) -> Bool { operand.bits >= 8 }

  /// - Parameter range: FSR.
  private func op(_ operand: QuantizedOperand, range: Int) -> LogarithmicQuantize {
    let magnitudes = operand.symmetricCodes.upperBound
    let greatest = min(range - 1, 120)
    return LogarithmicQuantize(
      leastExponent: max(greatest - magnitudes + 1, -120), greatestExponent: max(greatest, -120),
      countsHalves: base == .squareRootOfTwo)
  }

  private func op(_ operand: QuantizedOperand) -> LogarithmicQuantize {
    if let fullScaleRange { return op(operand, range: fullScaleRange) }
    let unbounded = LogarithmicQuantize(
      leastExponent: -120, greatestExponent: 120, countsHalves: base == .squareRootOfTwo)
    let top = (unbounded.exponent(of: operand.greatestMagnitude) ?? -120) + 1
    // Down to three octaves below the greatest magnitude: all beyond is cut to the top.
    let octave = base == .two ? 1 : 2
    let stride = max(operand.observed.count / 4096, 1)
    let sample = Swift.stride(from: 0, to: operand.observed.count, by: stride)
      .map { operand.observed[$0] }.filter(\.isFinite)
    var best = (op: op(operand, range: top), error: Double.infinity)
    for range in (top - 3 * octave)...(top + octave) {
      let op = op(operand, range: range)
      let error = sample.reduce(0.0) { sum, value in
        let difference = Double(Self.rounded(value, by: op)) - Double(value)
        return sum + difference * difference
      }
      if error < best.error { best = (op, error) }
    }
    return best.op
  }

  private static func rounded(_ value: Float, by op: LogarithmicQuantize) -> Float {
    guard let exponent = op.exponent(of: value) else { return 0 }
    return value < 0 ? -op.magnitude(exponent) : op.magnitude(exponent)
  }

  private func table(_ operand: QuantizedOperand) -> LevelTable {
    let op = op(operand)
    let magnitudes = (op.leastExponent...op.greatestExponent).map(op.magnitude)
    let levels = (operand.isSigned ? magnitudes.reversed().map { -$0 } : []) + [0] + magnitudes
    return LevelTable(levels) { value in
      operand.isSigned || value > 0 ? Self.rounded(value, by: op) : 0
    }
  }

  public func addRounding(
    of value: ValueID, _ operand: QuantizedOperand, to context: inout LossContext
  ) -> ValueID {
    if isStepped(operand) { return steps.addRounding(of: value, operand, to: &context) }
    let value =
      operand.isSigned
      ? value : context.add(Unary(.relu), [value], name: "\(operand.name)/positive")
    return context.add(op(operand), [value], name: "\(operand.name)/rounded")
  }

  public func options(
    forParameter name: String, standard: ParameterOptions
  ) -> ParameterOptions { steps.options(forParameter: name, standard: standard) }

  public func codes(
    of weights: Tensor, _ operand: QuantizedOperand, values: [String: Tensor]
  ) -> TrainedWeightCodes {
    if isStepped(operand) { return steps.codes(of: weights, operand, values: values) }
    return TrainedWeightCodes(rounding: weights, to: table(operand))
  }

  public func rounding(
    of operand: QuantizedOperand, values: [String: Tensor]
  ) -> ActivationRounding {
    if isStepped(operand) { return steps.rounding(of: operand, values: values) }
    return .table(table(operand))
  }
}
