// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// Biases as 32-bit codes in the units of the accumulator: `S = input scale · weight scale`, `Z = 0`.
///
/// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
/// Integer-Arithmetic-Only Inference", 2018, equation 11.
enum BiasQuantization {
  /// Codes beyond this leave no room for the products of the accumulator.
  static let greatestCode: Float = 0x1p30

  /// The scales that keep every bias code small enough, one per scale of the weights.
  ///
  /// - Parameters:
  ///   - bias: `[out]`, in units of the output.
  ///   - inputScale: Of the layer's input.
  ///   - isPerChannel: Whether weights have a scale per output channel.
  static func leastWeightScales(
    bias: [Float], inputScale: Float, isPerChannel: Bool
  ) -> [Float] {
    let needed = bias.map { value in
      value.isFinite ? abs(value) / (inputScale * greatestCode) : 0
    }
    return isPerChannel ? needed : [needed.max() ?? 0]
  }

  /// Codes and scales `[out]`, or one scale where `weightScales` has one.
  static func quantized(
    _ bias: [Float], inputScale: Float, weightScales: [Float]
  ) -> (codes: [Int32], scales: [Float]) {
    let scales = weightScales.map { max($0 * inputScale, .leastNormalMagnitude) }
    let codes = bias.enumerated().map { index, value -> Int32 in
      let scale = scales[scales.count == 1 ? 0 : index]
      let step = (Double(value) / Double(scale)).rounded(.toNearestOrEven)
      return step.isNaN ? 0 : Int32(min(max(step, -0x1p31 + 1), 0x1p31 - 1))
    }
    return (codes, scales)
  }
}
