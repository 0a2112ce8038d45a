// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

extension SoftmaxGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    let dY = try operands.required(0, "dY").type
    let y = try operands.required(1, "Y").type
    try ElementTypeRule.floating.check(y, "Y")
    let dimensions = try checkReals(dY, "dY", like: y?.dimensions)
    if let dimensions { _ = try Axes.normalized(axis, rank: dimensions.count) }
    return [(y ?? dY).map { TensorType($0.elementType, dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let y = try inputs.required(1, "Y").reals()
    var values = try inputs.required(0, "dY").reals()
    let place = try Axes.normalized(axis, rank: shape.count)
    let length = shape[place]
    let distance = shape.dropFirst(place + 1).reduce(1, *)
    for outer in 0..<(values.count / (length * distance)) {
      for inner in 0..<distance {
        let line = stride(
          from: outer * length * distance + inner, to: (outer + 1) * length * distance, by: distance
        )
        var sum = 0.0
        for index in line { sum += isLogarithm ? values[index] : values[index] * y[index] }
        for index in line {
          values[index] =
            isLogarithm ? values[index] - exp(y[index]) * sum : y[index] * (values[index] - sum)
        }
      }
    }
    return [Tensor(reals: values, shape: shape, elementType: elementType)]
  }
}

extension LayerNormalizationGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...3)
    try checkOutputCount(outputCount, 1...3)
    let dY = try operands.required(0, "dY").type
    let x = try operands.required(1, "X").type
    let scale = try operands.required(2, "scale").type
    try ElementTypeRule.floating.check(x, "X")
    try ElementTypeRule.floating.check(scale, "scale")
    let dimensions = try checkReals(dY, "dY", like: x?.dimensions)
    if let dimensions {
      _ = try Axes.normalized(axis, rank: dimensions.count)
      if let stretched = scale?.dimensions, !Broadcasting.canStretch(stretched, to: dimensions) {
        throw .invalidShape(
          input: "scale", found: stretched.map { $0.value ?? -1 },
          expected: "a shape that broadcasts to that of X")
      }
    }
    let whole = (x ?? dY).map { TensorType($0.elementType, dimensions) }
    return Array([whole, scale, scale].prefix(outputCount))
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let dY = try inputs.required(0, "dY").reals()
    let x = try inputs.required(1, "X")
    let scale = try inputs.required(2, "scale")
    let first = try Axes.normalized(axis, rank: x.rank)
    let length = x.shape.dropFirst(first).reduce(1, *)
    guard let places = Broadcasting.indices(of: scale.shape, in: x.shape), length > 0 else {
      throw .notEvaluable(kind: kind)
    }
    let factors = scale.reals()
    var values = x.reals()
    var scaled = dY
    for row in 0..<(values.count / length) {
      let line = (row * length)..<((row + 1) * length)
      let (mean, variance) = values.moments(line)
      let inverse = 1 / (variance + Double(epsilon)).squareRoot()
      var sum = 0.0
      var product = 0.0
      var normals = [Double](repeating: 0, count: length)
      for index in line {
        let normal = (values[index] - mean) * inverse
        let gradient = dY[index] * factors[places[index]]
        sum += gradient
        product += gradient * normal
        normals[index - line.lowerBound] = normal
        scaled[index] = dY[index] * normal
      }
      for index in line {
        let common = (sum + normals[index - line.lowerBound] * product) / Double(length)
        values[index] = inverse * (dY[index] * factors[places[index]] - common)
      }
    }
    let parameters = [scaled, dY].map { $0.summed(from: x.shape, to: scale.shape) ?? [] }
    return zip(results, [values] + parameters).map {
      Tensor(reals: $1, shape: $0.shape, elementType: $0.elementType)
    }
  }
}
