// SPDX-License-Identifier: Apache-2.0
public import CompressionCore
public import GraphIR
public import TensorCore
public import Training

/// Clips activations at a trained level α; weights as DoReFa.
///
/// Source: Choi et al., "PACT: Parameterized Clipping Activation for Quantized Neural Networks",
/// 2018, Eq. 1 to 3; α decays as weights do. Differs in two ways: the parameter is the step
/// `s = α / n` of `n = 2^bits − 1` codes, its gradient times `1 / n²`, which moves α as the source
/// does; and where activations have a sign, as a network's input has, the clip is at −α as well.
public struct ParameterizedClipping: TrainedQuantizer {
  public static let card = MethodCard(
    name: "pact", summary: "Trains the level at which activations are clipped; weights as dorefa.",
    paper: "Choi et al., \"PACT: Parameterized Clipping Activation for Quantized Neural "
      + "Networks\", 2018",
    shrinks: "activations to 2…8 bits, weights likewise",
    speedsUp: "products of 8-bit codes here, where weights have at most 7 bits",
    options: [
      MethodOption(
        "alpha", standard: "8", accepted: "a number above 0, or auto",
        summary: "the level at first; auto takes the greatest activation observed"),
      MethodOption(
        "rate", standard: "1", accepted: "a number above 0",
        summary: "factor on the learning rate of α"),
    ])

  /// `nil` for the greatest activation observed.
  public var level: Float?
  public var rateFactor: Double
  private let weights: DoReFaRounding

  public init(options: MethodOptions) throws(CompressionError) {
    level =
      options.text("alpha") == "auto"
      ? nil : Float(try options.number("alpha", in: .leastNonzeroMagnitude...1e6))
    rateFactor = try options.number("rate", in: .leastNonzeroMagnitude...1e6)
    weights = DoReFaRounding()
  }

  private func initialStep(_ operand: QuantizedOperand) -> Float {
    (level ?? operand.greatestMagnitude) / Float(operand.symmetricCodes.upperBound)
  }

  public func addRounding(
    of value: ValueID, _ operand: QuantizedOperand, to context: inout LossContext
  ) -> ValueID {
    if operand.role == .weight { return weights.addRounding(of: value, operand, to: &context) }
    let step = context.addParameter(
      LearnedStepSize.stepName(operand), initial: Tensor(scalar: initialStep(operand)))
    let greatest = Float(operand.symmetricCodes.upperBound)
    return context.add(
      FakeQuantize(
        codes: operand.symmetricCodes, stepGradient: .clipping,
        gradientScale: 1 / (greatest * greatest)),
      [value, step], name: "\(operand.name)/rounded")
  }

  public func options(
    forParameter name: String, standard: ParameterOptions
  ) -> ParameterOptions {
    ParameterOptions(rateFactor: rateFactor, weightDecay: standard.weightDecay)
  }

  public func codes(
    of tensor: Tensor, _ operand: QuantizedOperand, values: [String: Tensor]
  ) -> TrainedWeightCodes { weights.codes(of: tensor, operand, values: values) }

  public func rounding(
    of operand: QuantizedOperand, values: [String: Tensor]
  ) -> ActivationRounding {
    let step = values[LearnedStepSize.stepName(operand)]?.floats().first ?? initialStep(operand)
    return .grid(
      TrainedActivationGrid(
        codes: operand.symmetricCodes, step: FakeQuantize.usableStep(step)))
  }
}
