// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

extension IntervalQuantize {
  func power(_ base: Float, _ exponent: Float) -> Float { pow(base, exponent) }

  fileprivate func check(_ operands: [Operand?], from place: Int) throws(OpError) -> TensorType? {
    let x = try operands.required(place, "x").type
    try ElementTypeRule.floating.check(x, "x")
    guard levels > 0, levels <= 65_536 else {
      throw .invalidAttribute(name: "levels", found: "\(levels)", expected: "1…65536")
    }
    try checkScalar(try operands.required(place + 1, "centre").type, "centre")
    try checkScalar(try operands.required(place + 2, "half_width").type, "half_width")
    try checkScalar(operands.optional(place + 3)?.type, "exponent")
    return x
  }

  fileprivate func interval(_ inputs: [Tensor?], from place: Int) throws(OpError) -> Interval {
    Interval(
      centre: Float(try inputs.required(place, "centre").scalarReal("centre")),
      halfWidth: Float(try inputs.required(place + 1, "half_width").scalarReal("half_width")),
      exponent: Float(try inputs.optional(place + 2)?.scalarReal("exponent") ?? 1))
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...4)
    try checkOutputCount(outputCount, 1...1)
    return [try check(operands, from: 0)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    let x = try inputs.required(0, "x")
    let interval = try interval(inputs, from: 1)
    let values = x.floats().map { code(of: $0, interval) / Float(levels) }
    return [Tensor(values, shape: x.shape).converted(to: results[0].elementType)]
  }

  /// What one element gives to the gradients of x, c, d and γ, per unit of its own.
  ///
  /// With `t` inside: `∂y/∂t = γ t^(γ − 1)`, `∂t/∂m = 1 / (2 d)`, `∂t/∂c = −1 / (2 d)`,
  /// `∂t/∂d = −(m − c) / (2 d²)`, and `∂y/∂γ = t^γ ln t`; those of c, d and γ have the sign of x.
  @inline(__always)
  package func slopes(
    of x: Float, _ interval: Interval
  ) -> (x: Float, centre: Float, halfWidth: Float, exponent: Float) {
    let t = share(of: x, interval)
    guard t > 0, t < 1 else { return (0, 0, 0, 0) }
    let sign: Float = isSigned && x < 0 ? -1 : 1
    let magnitude = isSigned ? abs(x) : x
    var slope = 1 / (2 * interval.halfWidth)
    var exponent: Float = 0
    if interval.exponent != 1 {
      slope *= interval.exponent * power(t, interval.exponent - 1)
      exponent = power(t, interval.exponent) * log(t)
    } else {
      exponent = t * log(t)
    }
    let position = (magnitude - interval.centre) / interval.halfWidth
    return (slope, -slope * sign, -slope * position * sign, exponent * sign)
  }
}

extension IntervalQuantizeGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(4...5)
    try checkOutputCount(outputCount, 1...4)
    let dY = try operands.required(0, "dY").type
    let x = try quantization.check(operands, from: 1)
    let dimensions = try checkReals(dY, "dY", like: x?.dimensions)
    let types = [(x ?? dY).map { TensorType($0.elementType, dimensions) }]
    let centre = operands.optional(2)?.type
    return Array(
      (types + [centre, operands.optional(3)?.type, operands.optional(4)?.type ?? centre])
        .prefix(outputCount))
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    let dY = try inputs.required(0, "dY").floats()
    let x = try inputs.required(1, "x")
    let interval = try quantization.interval(inputs, from: 2)
    var dX = [Float](repeating: 0, count: dY.count)
    var sums = [0.0, 0.0, 0.0]
    for (index, value) in x.floats().enumerated() {
      let slopes = quantization.slopes(of: value, interval)
      dX[index] = dY[index] * slopes.x
      sums[0] += Double(dY[index] * slopes.centre)
      sums[1] += Double(dY[index] * slopes.halfWidth)
      sums[2] += Double(dY[index] * slopes.exponent)
    }
    var outputs = [Tensor(dX, shape: x.shape).converted(to: results[0].elementType)]
    for (place, result) in results.dropFirst().enumerated() {
      outputs.append(
        Tensor(
          reals: [sums[place] * Double(quantization.gradientScale)], shape: result.shape,
          elementType: result.elementType))
    }
    return outputs
  }
}
