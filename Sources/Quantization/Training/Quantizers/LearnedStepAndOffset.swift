// SPDX-License-Identifier: Apache-2.0
public import CompressionCore
public import GraphIR
public import TensorCore
public import Training

/// Learned step size with a learned offset for activations: also values below zero get codes.
///
/// Source: Bhalgat et al., "LSQ+: Improving low-bit quantization through learnable offsets and
/// better initialization", 2020: Eq. 3 to 7 for activations; weights as LSQ, with the first step
/// from `mean ± 3 · deviation` (Eq. 9). Differs in the first activation grid: the source minimizes
/// an error over the first batches, here it reaches from the least to the greatest value observed.
public struct LearnedStepAndOffset: TrainedQuantizer {
  public static let card = MethodCard(
    name: "lsq+", summary: "LSQ with a trained offset of activations, for h-swish and the like.",
    paper: "Bhalgat et al., \"LSQ+: Improving low-bit quantization through learnable offsets and "
      + "better initialization\", 2020",
    shrinks: "weights and activations to 2…8 bits",
    speedsUp: "nothing yet where an offset is not 0: such layers run on reals",
    options: [
      MethodOption(
        "rate", standard: "1", accepted: "a number above 0",
        summary: "factor on the learning rate of steps and offsets")
    ])

  public var rateFactor: Double

  public init(options: MethodOptions) throws(CompressionError) {
    rateFactor = try options.number("rate", in: .leastNonzeroMagnitude...1e6)
  }

  private static func offsetName(_ operand: QuantizedOperand) -> String { "\(operand.name)/offset" }

  /// Codes of activations count from 0 whatever the sign of values.
  private func codes(_ operand: QuantizedOperand) -> ClosedRange<Int> {
    operand.role == .weight ? operand.codes : 0...(1 << operand.bits) - 1
  }

  private func initial(_ operand: QuantizedOperand) -> (step: Float, offset: Float) {
    let values = operand.observed.filter(\.isFinite)
    guard !values.isEmpty else { return (1, 0) }
    if operand.role == .weight {
      let count = Double(values.count)
      let mean = values.reduce(0.0) { $0 + Double($1) } / count
      let variance = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
      let reach = max(
        abs(mean - 3 * variance.squareRoot()), abs(mean + 3 * variance.squareRoot()))
      let step = Float(reach) / Float(1 << (operand.bits - 1))
      return (step > 0 ? step : 1, 0)
    }
    let (low, high) = (values.min() ?? 0, values.max() ?? 0)
    let step = (high - low) / Float((1 << operand.bits) - 1)
    return (step > 0 ? step : 1, low)
  }

  public func addRounding(
    of value: ValueID, _ operand: QuantizedOperand, to context: inout LossContext
  ) -> ValueID {
    let (step, offset) = initial(operand)
    let codes = codes(operand)
    var inputs = [
      value,
      context.addParameter(LearnedStepSize.stepName(operand), initial: Tensor(scalar: step)),
    ]
    if operand.role == .activation {
      inputs.append(
        context.addParameter(Self.offsetName(operand), initial: Tensor(scalar: offset)))
    }
    return context.add(
      FakeQuantize(
        codes: codes, stepGradient: .learned,
        gradientScale: LearnedStepSize.gradientScale(count: operand.elementCount, codes: codes)),
      inputs, name: "\(operand.name)/rounded")
  }

  public func options(
    forParameter name: String, standard: ParameterOptions
  ) -> ParameterOptions {
    ParameterOptions(rateFactor: rateFactor, weightDecay: 0)
  }

  public func codes(
    of weights: Tensor, _ operand: QuantizedOperand, values: [String: Tensor]
  ) -> TrainedWeightCodes {
    TrainedWeightCodes(
      rounding: weights, codes: operand.codes, steps: [step(operand, values)], axis: nil)
  }

  public func rounding(
    of operand: QuantizedOperand, values: [String: Tensor]
  ) -> ActivationRounding {
    let offset = values[Self.offsetName(operand)]?.floats().first ?? initial(operand).offset
    return .grid(
      TrainedActivationGrid(codes: codes(operand), step: step(operand, values), shift: offset))
  }

  private func step(_ operand: QuantizedOperand, _ values: [String: Tensor]) -> Float {
    FakeQuantize.usableStep(
      values[LearnedStepSize.stepName(operand)]?.floats().first ?? initial(operand).step)
  }
}
