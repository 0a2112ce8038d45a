// SPDX-License-Identifier: Apache-2.0
public import CompressionCore
import Foundation
public import GraphIR
public import TensorCore
public import Training

/// Rounds the hyperbolic tangent of weights to even levels of −1…1, and activations clipped to 0…1.
///
/// Source: Zhou et al., "DoReFa-Net: Training Low Bitwidth Convolutional Neural Networks with Low
/// Bitwidth Gradients", 2016, Eq. 9 to 11, for 2 bits and more; gradients are not rounded, and the
/// greatest tangent counts as a constant. Differs where activations have a sign, as a network's
/// input has: those have a fixed grid that reaches their greatest magnitude.
public struct DoReFaRounding: TrainedQuantizer {
  public static let card = MethodCard(
    name: "dorefa",
    summary: "Rounds tanh of the weights, and activations clipped to a fixed level.",
    paper: "Zhou et al., \"DoReFa-Net: Training Low Bitwidth Convolutional Neural Networks with "
      + "Low Bitwidth Gradients\", 2016",
    shrinks: "weights and activations to 2…8 bits",
    speedsUp: "products of 8-bit codes here, where weights have at most 7 bits",
    options: [
      MethodOption(
        "clip", standard: "1", accepted: "a number above 0, or auto",
        summary: "where activations are clipped; auto takes the 0.999 quantile observed")
    ])

  /// `nil` for a quantile of the activations observed.
  public var level: Float?

  init() { level = 1 }

  public init(options: MethodOptions) throws(CompressionError) {
    level =
      options.text("clip") == "auto"
      ? nil : Float(try options.number("clip", in: .leastNonzeroMagnitude...1e6))
  }

  public func addRounding(
    of value: ValueID, _ operand: QuantizedOperand, to context: inout LossContext
  ) -> ValueID {
    guard operand.role == .weight else {
      let step = context.constant(step(operand), name: "\(operand.name)/step")
      return context.add(
        FakeQuantize(codes: operand.symmetricCodes, includesEnds: true), [value, step],
        name: "\(operand.name)/rounded")
    }
    let name = operand.name
    let tangent = context.add(Unary(.tanh), [value], name: "\(name)/tanh")
    let greatest = context.add(MagnitudeStep(greatestCode: 1), [tangent], name: "\(name)/greatest")
    let fixed = context.add(StopGradient(), [greatest], name: "\(name)/fixed")
    let share = context.add(Binary(.divide), [tangent, fixed], name: "\(name)/share")
    let levels = Float(Self.levels(operand))
    let step = context.constant(2 / levels, name: "\(name)/step")
    let offset = context.constant(-1, name: "\(name)/offset")
    return context.add(
      FakeQuantize(codes: 0...Self.levels(operand), includesEnds: true), [share, step, offset],
      name: "\(name)/rounded")
  }

  /// `2^bits − 1`.
  private static func levels(_ operand: QuantizedOperand) -> Int { (1 << operand.bits) - 1 }

  private func step(_ operand: QuantizedOperand) -> Float {
    let reach: Float
    if operand.isSigned {
      reach = operand.greatestMagnitude
    } else if let level {
      reach = level
    } else {
      return RoundingSearch(values: operand.observed, codes: operand.codes).step(.percentile, 0.999)
    }
    return reach / Float(operand.symmetricCodes.upperBound)
  }

  /// `2 · n / levels − 1` of the number n: the code `n − 2^(bits − 1)`, and half a step.
  public func codes(
    of weights: Tensor, _ operand: QuantizedOperand, values: [String: Tensor]
  ) -> TrainedWeightCodes {
    let tangents = weights.floats().map { Float(tanh(Double($0))) }
    let greatest = tangents.reduce(Float(0)) { max($0, abs($1)) }
    let levels = Float(Self.levels(operand))
    let step = 2 / levels
    let codes = tangents.map { tangent in
      let u = (tangent / (greatest > 0 ? greatest : 1) + 1) / step
      return Int(min(max(u, 0), levels).rounded(.toNearestOrEven)) - (1 << (operand.bits - 1))
    }
    return TrainedWeightCodes(codes: codes, range: operand.codes, scales: [step], shift: step / 2)
  }

  public func rounding(
    of operand: QuantizedOperand, values: [String: Tensor]
  ) -> ActivationRounding {
    .grid(TrainedActivationGrid(codes: operand.symmetricCodes, step: step(operand)))
  }
}
