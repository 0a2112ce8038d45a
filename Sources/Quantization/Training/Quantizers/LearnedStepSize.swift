// SPDX-License-Identifier: Apache-2.0
public import CompressionCore
public import GraphIR
public import TensorCore
public import Training

/// Rounds to a grid whose step is trained with the weights.
///
/// Source: Esser et al., "Learned Step Size Quantization", 2020: Eq. 1 to 3; the gradient of the
/// step times `1 / √(N · Q_P)`, where *N* is the number of weights, or of a sample's activations
/// (section 2.2); the first step `2 · mean |v| / √Q_P`. Steps do not decay. Differs where
/// `granularity` is `channel`: each output channel of the weights then has a step of its own.
public struct LearnedStepSize: TrainedQuantizer {
  public static let card = MethodCard(
    name: "lsq", summary: "Trains the step of each grid together with the weights.",
    paper: "Esser et al., \"Learned Step Size Quantization\", 2020",
    shrinks: "weights and activations to 2…8 bits",
    speedsUp: "products of 8-bit codes here; fewer bits save memory, not time, on most processors",
    options: [
      MethodOption(
        "granularity", standard: "tensor", accepted: "tensor, channel",
        summary: "steps of weights: one, or one for each output channel"),
      MethodOption(
        "rate", standard: "1", accepted: "a number above 0",
        summary: "factor on the learning rate of steps"),
    ])

  public var granularity: Granularity
  public var rateFactor: Double

  public init(options: MethodOptions) throws(CompressionError) {
    granularity = try options.choice("granularity")
    rateFactor = try options.number("rate", in: .leastNonzeroMagnitude...1e6)
  }

  init(rateFactor: Double) {
    granularity = .perTensor
    self.rateFactor = rateFactor
  }

  /// The name of an operand's step.
  static func stepName(_ operand: QuantizedOperand) -> String { "\(operand.name)/step" }

  private func axis(_ operand: QuantizedOperand) -> Int? {
    operand.role == .weight && granularity == .perChannel ? operand.channelAxis : nil
  }

  public func addRounding(
    of value: ValueID, _ operand: QuantizedOperand, to context: inout LossContext
  ) -> ValueID {
    let step = context.addParameter(
      Self.stepName(operand), initial: Self.initialSteps(operand, axis: axis(operand)))
    let count = operand.elementCount / (axis(operand).map { operand.shape[$0] } ?? 1)
    return context.add(
      FakeQuantize(
        codes: operand.codes, axis: axis(operand), stepGradient: .learned,
        gradientScale: Self.gradientScale(count: count, codes: operand.codes)),
      [value, step], name: "\(operand.name)/rounded")
  }

  /// `1 / √(N · Q_P)`, section 2.2.
  static func gradientScale(count: Int, codes: ClosedRange<Int>) -> Float {
    Float(1 / (Double(count) * Double(codes.upperBound)).squareRoot())
  }

  /// `2 · mean |v| / √Q_P`, for all or for each channel; a channel of zeros has the step of all.
  static func initialSteps(_ operand: QuantizedOperand, axis: Int?) -> Tensor {
    let root = Float(operand.codes.upperBound).squareRoot()
    let all = 2 * operand.meanMagnitude / root
    guard let axis else { return Tensor(scalar: all) }
    let slices = ChannelSlices(shape: operand.shape, axis: axis)
    var sums = [Double](repeating: 0, count: slices.channelCount)
    for (index, value) in operand.observed.enumerated() where value.isFinite {
      sums[slices.channel(of: index)] += Double(abs(value))
    }
    let share = Double(max(operand.elementCount / slices.channelCount, 1))
    let steps = sums.map { $0 > 0 ? Float(2 * $0 / share) / root : all }
    return Tensor(steps, shape: [steps.count])
  }

  public func options(
    forParameter name: String, standard: ParameterOptions
  ) -> ParameterOptions {
    ParameterOptions(rateFactor: rateFactor, weightDecay: 0)
  }

  public func codes(
    of weights: Tensor, _ operand: QuantizedOperand, values: [String: Tensor]
  ) -> TrainedWeightCodes {
    let steps = usableSteps(operand, values)
    return TrainedWeightCodes(
      rounding: weights, codes: operand.codes, steps: steps, axis: axis(operand))
  }

  public func rounding(
    of operand: QuantizedOperand, values: [String: Tensor]
  ) -> ActivationRounding {
    .grid(TrainedActivationGrid(codes: operand.codes, step: usableSteps(operand, values)[0]))
  }

  private func usableSteps(_ operand: QuantizedOperand, _ values: [String: Tensor]) -> [Float] {
    let steps =
      values[Self.stepName(operand)] ?? Self.initialSteps(operand, axis: axis(operand))
    return steps.floats().map(FakeQuantize.usableStep)
  }
}

extension TrainedWeightCodes {
  /// The codes of weights on grids of given steps, as `FakeQuantize` rounds to them.
  init(rounding weights: Tensor, codes: ClosedRange<Int>, steps: [Float], axis: Int?) {
    let slices = ChannelSlices(shape: weights.shape, axis: axis)
    let (low, high) = (Float(codes.lowerBound), Float(codes.upperBound))
    let integers = weights.floats().enumerated().map { index, weight in
      let u = weight / steps[axis == nil ? 0 : slices.channel(of: index)]
      return u > low ? Int(min(u, high).rounded(.toNearestOrEven)) : codes.lowerBound
    }
    self.init(codes: integers, range: codes, scales: steps, axis: axis)
  }
}
