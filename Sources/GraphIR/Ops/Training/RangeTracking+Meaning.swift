// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension MagnitudeStep {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "x").type
    try ElementTypeRule.floating.check(x, "x")
    guard greatestCode > 0 else {
      throw .invalidAttribute(
        name: "greatestCode", found: "\(greatestCode)", expected: "1 or more")
    }
    guard let axis else { return [TensorType(.float32, shape: [])] }
    guard let dimensions = x?.dimensions else { return [TensorType(.float32, nil)] }
    guard dimensions.indices.contains(axis) else {
      throw .invalidAttribute(name: "axis", found: "\(axis)", expected: "0..<\(dimensions.count)")
    }
    return [TensorType(.float32, [dimensions[axis]])]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    let x = try inputs.required(0, "x")
    let inner = axis.map { x.shape[($0 + 1)...].reduce(1, *) } ?? 1
    let channels = axis.map { x.shape[$0] } ?? 1
    var steps = [Float](repeating: 0, count: channels)
    for (index, value) in x.floats().enumerated() {
      let channel = axis == nil ? 0 : index / inner % channels
      if abs(value) > steps[channel] { steps[channel] = abs(value) }
    }
    return [Tensor(steps.map { step(of: $0) }, shape: results[0].shape)]
  }

  package func step(of magnitude: Float) -> Float {
    magnitude > 0 ? magnitude / Float(greatestCode) : 1
  }
}

extension RangeAverage {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    try ElementTypeRule.floating.check(try operands.required(0, "x").type, "x")
    let range = try operands.required(1, "range").type
    try ElementTypeRule.only(.float32).check(range, "range")
    if let shape = range?.shape, shape != [2] {
      throw .invalidShape(input: "range", found: shape, expected: "[2]")
    }
    return [TensorType(.float32, shape: [2])]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    _ = try resultTypes(inputs, outputCount: outputCount)
    var extremes: [Float] = [.infinity, -.infinity]
    for value in try inputs.required(0, "x").floats() {
      if value < extremes[0] { extremes[0] = value }
      if value > extremes[1] { extremes[1] = value }
    }
    let range = try inputs.required(1, "range").floats()
    return [Tensor(averaged(range, with: extremes), shape: [2])]
  }

  /// The new range; the present one where there are no extremes.
  package func averaged(_ range: [Float], with extremes: [Float]) -> [Float] {
    guard extremes[0] <= extremes[1] else { return range }
    return zip(range, extremes).map { $0 * momentum + $1 * (1 - momentum) }
  }
}

extension RangeGrid {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...2)
    let range = try operands.required(0, "range").type
    try ElementTypeRule.only(.float32).check(range, "range")
    if let shape = range?.shape, shape != [2] {
      throw .invalidShape(input: "range", found: shape, expected: "[2]")
    }
    return Array(repeating: TensorType(.float32, shape: []), count: outputCount)
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    _ = try resultTypes(inputs, outputCount: outputCount)
    let range = try inputs.required(0, "range").floats()
    let (step, zeroPoint) = grid(from: range[0], to: range[1])
    return Array([Tensor(scalar: step), Tensor(scalar: -step * zeroPoint)].prefix(outputCount))
  }
}
