// SPDX-License-Identifier: Apache-2.0
public import CompressionCore
public import GraphIR
public import TensorCore
public import Training

/// Trains the interval of magnitudes that are rounded: what lies below is cut to 0, what lies beyond
/// to 1.
///
/// Source: Jung et al., "Learning to Quantize Deep Networks by Optimizing Quantization Intervals
/// with Task Loss", 2019, Eq. 3 to 5. Weights have a trained exponent γ, activations none. Differs
/// in where intervals begin, which the source leaves open: from 0 to the greatest weight, or to the
/// 0.999 quantile of activations; and where activations have a sign, as a network's input has:
/// those have a learned step.
public struct LearnedInterval: TrainedQuantizer {
  public static let card = MethodCard(
    name: "qil", summary: "Trains centre and width of the interval that is rounded; prunes below.",
    paper: "Jung et al., \"Learning to Quantize Deep Networks by Optimizing Quantization "
      + "Intervals with Task Loss\", 2019",
    shrinks: "weights and activations to 2…8 bits",
    speedsUp: "nothing yet where an interval does not begin at 0: such layers run on reals",
    options: [
      MethodOption(
        "rate", standard: "0.01", accepted: "a number above 0",
        summary: "factor on the learning rate of intervals")
    ])

  public var rateFactor: Double
  private let steps: LearnedStepSize

  public init(options: MethodOptions) throws(CompressionError) {
    rateFactor = try options.number("rate", in: .leastNonzeroMagnitude...1e6)
    steps = LearnedStepSize(rateFactor: rateFactor)
  }

  private func isStepped(_ operand: QuantizedOperand) -> Bool {
    operand.role == .activation && operand.isSigned
  }

  /// Codes above 0.
  private func levels(_ operand: QuantizedOperand) -> Int { operand.symmetricCodes.upperBound }

  private func initialReach(_ operand: QuantizedOperand) -> Float {
    if operand.role == .weight { return operand.greatestMagnitude }
    return RoundingSearch(values: operand.observed, codes: 0...1).step(.percentile, 0.999)
  }

  private func op(_ operand: QuantizedOperand) -> IntervalQuantize {
    IntervalQuantize(levels: levels(operand), isSigned: operand.isSigned)
  }

  public func addRounding(
    of value: ValueID, _ operand: QuantizedOperand, to context: inout LossContext
  ) -> ValueID {
    if isStepped(operand) { return steps.addRounding(of: value, operand, to: &context) }
    let half = Tensor(scalar: initialReach(operand) / 2)
    var inputs = [
      value, context.addParameter("\(operand.name)/centre", initial: half),
      context.addParameter("\(operand.name)/half_width", initial: half),
    ]
    if operand.role == .weight {
      inputs.append(
        context.addParameter("\(operand.name)/exponent", initial: Tensor(scalar: Float(1))))
    }
    return context.add(op(operand), inputs, name: "\(operand.name)/rounded")
  }

  public func options(
    forParameter name: String, standard: ParameterOptions
  ) -> ParameterOptions {
    ParameterOptions(rateFactor: rateFactor, weightDecay: 0)
  }

  private func interval(
    _ operand: QuantizedOperand, _ values: [String: Tensor]
  ) -> (centre: Float, halfWidth: Float, exponent: Float) {
    func value(_ name: String, _ standard: Float) -> Float {
      values["\(operand.name)/\(name)"]?.floats().first ?? standard
    }
    let half = initialReach(operand) / 2
    return (
      value("centre", half), FakeQuantize.usableStep(value("half_width", half)),
      value("exponent", 1)
    )
  }

  public func codes(
    of weights: Tensor, _ operand: QuantizedOperand, values: [String: Tensor]
  ) -> TrainedWeightCodes {
    let (centre, halfWidth, exponent) = interval(operand, values)
    let interval = IntervalQuantize.Interval(
      centre: centre, halfWidth: halfWidth, exponent: exponent)
    let op = op(operand)
    return TrainedWeightCodes(
      codes: weights.floats().map { Int(op.code(of: $0, interval)) },
      range: operand.symmetricCodes, scales: [1 / Float(levels(operand))])
  }

  public func rounding(
    of operand: QuantizedOperand, values: [String: Tensor]
  ) -> ActivationRounding {
    if isStepped(operand) { return steps.rounding(of: operand, values: values) }
    let interval = interval(operand, values)
    let levels = Float(levels(operand))
    var grid = TrainedActivationGrid(
      codes: operand.symmetricCodes, step: 2 * interval.halfWidth / levels,
      shift: interval.centre - interval.halfWidth)
    grid.scale = 1 / levels
    grid.offset = 0
    return .grid(grid)
  }
}
