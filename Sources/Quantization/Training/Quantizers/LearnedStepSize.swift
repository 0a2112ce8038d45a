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
/// `granularity` is `channel`: each output channel of the weights then has a step of its own; and
/// where `start` is `mse`: the first step is then that with the least squared error. The source's
/// is several times too wide for many bits: ResNet-20 on CIFAR-10 begins with 85.9 % at W4A4 where
/// the least error has 90.2 %, and with 91.2 % at W8A8 where it has 91.7 %. Gradients of such fine
/// steps are damped from 5 bits on.
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
        "start", standard: "mse", accepted: "mean, mse",
        summary: "first steps: of the mean magnitude, as the source, or of the least error"),
      MethodOption(
        "rate", standard: "1", accepted: "a number above 0",
        summary: "factor on the learning rate of steps"),
    ])

  /// What the first steps come from.
  public enum Start: String, Sendable {
    /// The mean magnitude, as the source has it.
    case mean
    /// The least squared error of rounding.
    case leastError = "mse"
  }

  public var granularity: Granularity
  public var start: Start
  public var rateFactor: Double

  public init(options: MethodOptions) throws(CompressionError) {
    granularity = try options.choice("granularity")
    start = try options.choice("start")
    rateFactor = try options.number("rate", in: .leastNonzeroMagnitude...1e6)
  }

  init(rateFactor: Double) {
    granularity = .perTensor
    start = .leastError
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
    let steps = initialSteps(operand)
    let step = context.addParameter(Self.stepName(operand), initial: steps)
    let count = operand.elementCount / (axis(operand).map { operand.shape[$0] } ?? 1)
    return context.add(
      FakeQuantize(
        codes: operand.codes, axis: axis(operand), stepGradient: .learned,
        gradientScale: Self.gradientScale(count: count, codes: operand.codes)
          * damping(steps.floats(), operand)),
      [value, step], name: "\(operand.name)/rounded")
  }

  /// `1 / √(N · Q_P)`, section 2.2.
  static func gradientScale(count: Int, codes: ClosedRange<Int>) -> Float {
    Float(1 / (Double(count) * Double(codes.upperBound)).squareRoot())
  }

  /// What keeps updates of a fine step as small beside it as the source's are beside its own.
  ///
  /// The square of the steps' ratio, from 5 bits on: a step of 8 bits is some ten times finer, and
  /// values beyond the last code could turn its sign in a few updates.
  private func damping(_ steps: [Float], _ operand: QuantizedOperand) -> Float {
    guard operand.bits > 4,
      let usual = Self.meanStep(of: operand.observed.filter(\.isFinite), codes: operand.codes)
    else { return 1 }
    let ratio = min(steps.reduce(0, +) / Float(steps.count) / usual, 1)
    return ratio * ratio
  }

  /// For all or for each channel; a channel of zeros has the step of all.
  private func initialSteps(_ operand: QuantizedOperand) -> Tensor {
    let step: ([Float]) -> Float? =
      switch start {
      case .mean: { Self.meanStep(of: $0, codes: operand.codes) }
      case .leastError: { Self.leastErrorStep(of: $0, codes: operand.codes) }
      }
    let values = operand.observed.filter(\.isFinite)
    let all = step(values) ?? 2 / Float(operand.codes.upperBound).squareRoot()
    guard let axis = axis(operand) else { return Tensor(scalar: all) }
    let slices = ChannelSlices(shape: operand.shape, axis: axis)
    var channels = [[Float]](repeating: [], count: slices.channelCount)
    for (index, value) in operand.observed.enumerated() where value.isFinite {
      channels[slices.channel(of: index)].append(value)
    }
    return Tensor(channels.map { step($0) ?? all }, shape: [channels.count])
  }

  /// `2 · mean |v| / √Q_P`; `nil` for values that are all 0.
  static func meanStep(of values: [Float], codes: ClosedRange<Int>) -> Float? {
    let sum = values.reduce(0.0) { $0 + Double(abs($1)) }
    guard sum > 0 else { return nil }
    return Float(2 * sum / Double(values.count)) / Float(codes.upperBound).squareRoot()
  }

  /// The step with the least squared error of rounding and clipping, of 100 that reach from a
  /// hundredth of the greatest magnitude to all of it; `nil` for values that are all 0.
  static func leastErrorStep(of values: [Float], codes: ClosedRange<Int>) -> Float? {
    // A sample tells as much of many values.
    let stride = max(values.count / 65_536, 1)
    let sample = Swift.stride(from: 0, to: values.count, by: stride).map { values[$0] }
    let greatest = sample.reduce(Float(0)) { max($0, abs($1)) }
    guard greatest > 0 else { return nil }
    let (low, high) = (Float(codes.lowerBound), Float(codes.upperBound))
    var best = (step: greatest / high, error: Float.infinity)
    for fraction in (1...100).reversed() {
      let step = greatest * Float(fraction) / 100 / high
      let inverse = 1 / step
      guard step > 0, inverse.isFinite else { break }
      var error: Float = 0
      for value in sample {
        let code = min(max(value * inverse, low), high).rounded(.toNearestOrEven)
        let difference = value - code * step
        error += difference * difference
      }
      if error < best.error { best = (step, error) }
    }
    return best.step
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
    let steps = values[Self.stepName(operand)] ?? initialSteps(operand)
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
