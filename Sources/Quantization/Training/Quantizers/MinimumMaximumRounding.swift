// SPDX-License-Identifier: Apache-2.0
public import CompressionCore
public import GraphIR
public import TensorCore
public import Training

/// Rounds weights to the range that they have, and activations to one that is observed.
///
/// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
/// Integer-Arithmetic-Only Inference", 2018, section 3: weights symmetric without the least code,
/// by their greatest magnitude at every step; activations by an average of the batches' extremes,
/// with a whole zero point. Averages begin with the observed extremes, not with 0. With `range`
/// `mse` or `percentile` grids are chosen once, before training, and stay.
public struct MinimumMaximumRounding: TrainedQuantizer {
  /// How ranges are chosen.
  public enum Range: String, Sendable, CaseIterable { case minmax, percentile, mse }

  public static let card = MethodCard(
    name: "minmax", summary: "Follows the extremes of weights and batches; nothing is trained.",
    paper: "Jacob et al., \"Quantization and Training of Neural Networks for Efficient "
      + "Integer-Arithmetic-Only Inference\", 2018",
    shrinks: "weights and activations to 8 bits; fewer cost accuracy",
    speedsUp: "products of 8-bit codes, here and in other runtimes",
    options: [
      MethodOption(
        "range", standard: "minmax", accepted: "minmax, percentile, mse",
        summary: "extremes that move with training, or a range chosen before it"),
      MethodOption(
        "percentile", standard: "0.999", accepted: "above 0.5, up to 1",
        summary: "share of magnitudes that range=percentile keeps"),
      MethodOption(
        "momentum", standard: "0.99", accepted: "0 to below 1",
        summary: "share of an activation's range that an update keeps"),
      MethodOption(
        "granularity", standard: "channel", accepted: "tensor, channel",
        summary: "steps of weights: one, or one for each output channel"),
    ])

  public var range: Range
  public var percentile: Double
  public var momentum: Double
  public var granularity: Granularity

  public init(options: MethodOptions) throws(CompressionError) {
    range = try options.choice("range")
    percentile = try options.number("percentile", in: 0.5.nextUp...1)
    momentum = try options.number("momentum", in: 0...1.nextDown)
    granularity = try options.choice("granularity")
  }

  private static func rangeName(_ operand: QuantizedOperand) -> String { "\(operand.name)/range" }

  private func axis(_ operand: QuantizedOperand) -> Int? {
    granularity == .perChannel ? operand.channelAxis : nil
  }

  public func addRounding(
    of value: ValueID, _ operand: QuantizedOperand, to context: inout LossContext
  ) -> ValueID {
    switch operand.role {
    case .weight:
      let axis = axis(operand)
      var step = context.network.graph.addConstant(
        fixedSteps(operand), name: "\(operand.name)/step")
      if range == .minmax {
        step = context.add(
          MagnitudeStep(greatestCode: operand.symmetricCodes.upperBound, axis: axis), [value],
          name: "\(operand.name)/step")
      }
      return context.add(
        FakeQuantize(codes: operand.symmetricCodes, axis: axis, includesEnds: true),
        [value, step], name: "\(operand.name)/rounded")
    case .activation:
      let limits = Tensor(observedRange(operand), shape: [2])
      var range = context.network.graph.addConstant(limits, name: "\(operand.name)/limits")
      if self.range == .minmax {
        range = context.addStatistic(Self.rangeName(operand), initial: limits) { input, context in
          context.add(
            RangeAverage(momentum: Float(momentum)), [value, input],
            name: "\(operand.name)/averaged")
        }
      }
      let name = "\(operand.name)/grid"
      let grid = context.network.graph.addNode(
        RangeGrid(greatestCode: (1 << operand.bits) - 1), name: name, inputs: [range],
        outputNames: ["\(name)/step", "\(name)/offset"])
      return context.add(
        FakeQuantize(codes: 0...(1 << operand.bits) - 1, includesEnds: true), [value] + grid,
        name: "\(operand.name)/rounded")
    }
  }

  public func codes(
    of weights: Tensor, _ operand: QuantizedOperand, values: [String: Tensor]
  ) -> TrainedWeightCodes {
    let steps: Tensor
    if range == .minmax {
      let op = MagnitudeStep(
        greatestCode: operand.symmetricCodes.upperBound, axis: axis(operand))
      steps = (try? op.evaluate([weights], outputCount: 1).first) ?? fixedSteps(operand)
    } else {
      steps = fixedSteps(operand)
    }
    return TrainedWeightCodes(
      rounding: weights, codes: operand.symmetricCodes,
      steps: steps.floats().map(FakeQuantize.usableStep), axis: axis(operand))
  }

  public func rounding(
    of operand: QuantizedOperand, values: [String: Tensor]
  ) -> ActivationRounding {
    let limits = values[Self.rangeName(operand)]?.floats() ?? observedRange(operand)
    let greatest = (1 << operand.bits) - 1
    let (step, zeroPoint) = RangeGrid(greatestCode: greatest).grid(from: limits[0], to: limits[1])
    let zero = Int(zeroPoint)
    return .grid(TrainedActivationGrid(codes: -zero...(greatest - zero), step: step))
  }

  /// The steps of weights as they were before training.
  private func fixedSteps(_ operand: QuantizedOperand) -> Tensor {
    let axis = axis(operand)
    let slices = ChannelSlices(shape: operand.shape, axis: axis)
    var channels = [[Float]](repeating: [], count: slices.channelCount)
    for (index, weight) in operand.observed.enumerated() {
      channels[slices.channel(of: index)].append(weight)
    }
    let steps = channels.map { values in
      RoundingSearch(values: values, codes: operand.symmetricCodes).step(range, percentile)
    }
    return Tensor(steps, shape: axis == nil ? [] : [steps.count])
  }

  private func observedRange(_ operand: QuantizedOperand) -> [Float] {
    let low = operand.observed.min() ?? 0
    let high = operand.observed.max() ?? 0
    if range == .minmax { return [min(low, 0), max(high, 0)] }
    let codes = operand.isSigned ? operand.symmetricCodes : operand.codes
    let step = RoundingSearch(values: operand.observed, codes: codes).step(range, percentile)
    let reach = step * Float(codes.upperBound)
    return [max(low, -reach), min(high, reach)].map { $0.isFinite ? $0 : 0 }
  }
}

/// Chooses the step of a grid around zero for given values.
struct RoundingSearch {
  let values: [Float]
  let codes: ClosedRange<Int>

  /// 1 for zeros.
  func step(_ range: MinimumMaximumRounding.Range, _ percentile: Double) -> Float {
    let magnitudes = values.map { abs($0) }.filter(\.isFinite).sorted()
    guard let greatest = magnitudes.last, greatest > 0 else { return 1 }
    let top = Float(codes.upperBound)
    switch range {
    case .minmax: return greatest / top
    case .percentile:
      let place = Int((Double(magnitudes.count) * percentile).rounded(.up)) - 1
      let limit = magnitudes[min(max(place, 0), magnitudes.count - 1)]
      return (limit > 0 ? limit : greatest) / top
    case .mse:
      var best = (step: greatest / top, error: Double.infinity)
      for share in 20...100 {
        let step = greatest * Float(share) / 100 / top
        let error = error(step)
        if error < best.error { best = (step, error) }
      }
      return best.step
    }
  }

  /// The sum of squared errors on a grid, over at most 4,096 of the values.
  private func error(_ step: Float) -> Double {
    let stride = max(values.count / 4096, 1)
    let (low, high) = (Float(codes.lowerBound), Float(codes.upperBound))
    var sum = 0.0
    for index in Swift.stride(from: 0, to: values.count, by: stride) {
      let u = values[index] / step
      let difference = Double((min(max(u, low), high).rounded(.toNearestOrEven) - u) * step)
      sum += difference * difference
    }
    return sum
  }
}
