// SPDX-License-Identifier: Apache-2.0
import Foundation
package import TensorCore

/// How the weights of a layer are drawn before training.
package enum Initialization: Sendable, Equatable {
  package enum Fan: Sendable { case incoming, outgoing }

  /// Normal, with a fixed standard deviation.
  case normal(deviation: Double)
  /// Normal, the variance a gain divided by the layer's fan.
  case scaledNormal(gain: Double, Fan)
  /// Uniform around zero, the variance a gain divided by the layer's fan.
  case scaledUniform(gain: Double, Fan)
  case constant(Float)

  /// Source: He, Zhang, Ren, Sun, "Delving Deep into Rectifiers" (2015), equation 14.
  package static let heNormalOutgoing = Initialization.scaledNormal(gain: 2, .outgoing)
  /// Source: as above, equation 10.
  package static let heNormalIncoming = Initialization.scaledNormal(gain: 2, .incoming)
  /// Source: as above, equation 10, with uniform numbers.
  package static let heUniformIncoming = Initialization.scaledUniform(gain: 2, .incoming)
  /// Uniform over ±1/√fan, PyTorch's default for linear layers.
  package static let inverseRootUniform = Initialization.scaledUniform(gain: 1.0 / 3, .incoming)

  /// Draws a parameter tensor.
  ///
  /// - Parameters:
  ///   - shape: The tensor's own.
  ///   - layer: That of the layer's weight, `[out, in / groups, …]`, which the fan follows from.
  ///   - groups: Of a convolution; an input goes to `out / groups` outputs.
  package func drawn(
    shape: [Int], layer: [Int], groups: Int = 1, from random: inout RandomSource
  ) -> Tensor {
    let count = shape.reduce(1, *)
    switch self {
    case .constant(let value):
      return Tensor([Float](repeating: value, count: count), shape: shape)
    case .normal(let deviation):
      return Tensor(random.normals(count, deviation: deviation), shape: shape)
    case .scaledNormal(let gain, let fan):
      let deviation = (gain / Self.fan(fan, layer, groups)).squareRoot()
      return Tensor(random.normals(count, deviation: deviation), shape: shape)
    case .scaledUniform(let gain, let fan):
      let bound = (3 * gain / Self.fan(fan, layer, groups)).squareRoot()
      let values = (0..<count).map { _ in Float((2 * random.nextUniform() - 1) * bound) }
      return Tensor(values, shape: shape)
    }
  }

  private static func fan(_ fan: Fan, _ layer: [Int], _ groups: Int) -> Double {
    let window = layer.dropFirst(2).reduce(1, *)
    switch fan {
    case .incoming: return Double(max(1, layer[1] * window))
    case .outgoing: return Double(max(1, layer[0] / groups * window))
    }
  }
}

extension RandomSource {
  /// Normal numbers around zero.
  ///
  /// Source: Box, Muller, "A Note on the Generation of Random Normal Deviates", 1958.
  fileprivate mutating func normals(_ count: Int, deviation: Double) -> [Float] {
    var values: [Float] = []
    values.reserveCapacity(count + 1)
    while values.count < count {
      // 1 − u lies in (0, 1], so that the logarithm is finite.
      let radius = (-2 * log(1 - nextUniform())).squareRoot() * deviation
      let angle = 2 * Double.pi * nextUniform()
      values.append(Float(radius * cos(angle)))
      values.append(Float(radius * sin(angle)))
    }
    values.removeLast(values.count - count)
    return values
  }
}
