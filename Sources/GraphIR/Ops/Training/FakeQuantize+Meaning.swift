// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension FakeQuantize {
  /// Checks the operands; x, s and β in this order.
  ///
  /// - Returns: The type of x.
  fileprivate func check(
    _ x: TensorType?, _ step: TensorType?, _ offset: TensorType?
  ) throws(OpError) -> TensorType? {
    guard codes.lowerBound < codes.upperBound, abs(codes.lowerBound) <= 65_536,
      abs(codes.upperBound) <= 65_536
    else {
      throw .invalidAttribute(
        name: "codes", found: "\(codes)", expected: "at least two codes of −65536…65536")
    }
    try ElementTypeRule.floating.check(x, "x")
    for (name, type) in [("step", step), ("offset", offset)] {
      try ElementTypeRule.floating.check(type, name)
      guard let shape = type?.shape else { continue }
      guard let axis, let rank = x?.rank else {
        try checkScalar(type, name)
        continue
      }
      guard axis >= 0, axis < rank else {
        throw .invalidAttribute(name: "axis", found: "\(axis)", expected: "0..<\(rank)")
      }
      if let count = x?.dimensions?[axis].value, shape.reduce(1, *) != count {
        throw .invalidShape(
          input: name, found: shape, expected: "\(count) numbers, as axis \(axis)")
      }
    }
    return x
  }

  /// The channel of each element under `axis`.
  fileprivate func channel(of index: Int, in shape: [Int]) -> Int {
    guard let axis else { return 0 }
    return index / shape[(axis + 1)...].reduce(1, *) % shape[axis]
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...3)
    try checkOutputCount(outputCount, 1...1)
    return [
      try check(
        try operands.required(0, "x").type, try operands.required(1, "step").type,
        operands.optional(2)?.type)
    ]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    let x = try inputs.required(0, "x")
    let steps = try inputs.required(1, "step").floats()
    let offsets = inputs.optional(2)?.floats()
    var values = x.floats()
    for index in values.indices {
      let channel = channel(of: index, in: x.shape)
      let (step, offset) = (Self.usableStep(steps[channel]), offsets?[channel] ?? 0)
      values[index] = rounded((values[index] - offset) / step) * step + offset
    }
    return [Tensor(values, shape: x.shape).converted(to: results[0].elementType)]
  }

  /// The code of a number of steps, as a real.
  fileprivate func rounded(_ u: Float) -> Float {
    guard u > Float(codes.lowerBound) else { return Float(codes.lowerBound) }
    return min(u, Float(codes.upperBound)).rounded(.toNearestOrEven)
  }
}

extension FakeQuantizeGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...4)
    try checkOutputCount(outputCount, 1...3)
    let dY = try operands.required(0, "dY").type
    let (step, offset) = (try operands.required(2, "step").type, operands.optional(3)?.type)
    let x = try quantization.check(try operands.required(1, "x").type, step, offset)
    let dimensions = try checkReals(dY, "dY", like: x?.dimensions)
    let types = [(x ?? dY).map { TensorType($0.elementType, dimensions) }, step, offset ?? step]
    return Array(types.prefix(outputCount))
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    let dY = try inputs.required(0, "dY").floats()
    let x = try inputs.required(1, "x")
    let step = try inputs.required(2, "step")
    let (values, steps, offsets) = (x.floats(), step.floats(), inputs.optional(3)?.floats())
    let (low, high) = (
      Float(quantization.codes.lowerBound), Float(quantization.codes.upperBound)
    )
    var dX = [Float](repeating: 0, count: values.count)
    var sums = [[Double]](repeating: [Double](repeating: 0, count: steps.count), count: 2)
    for index in values.indices {
      let channel = quantization.channel(of: index, in: x.shape)
      let width = FakeQuantize.usableStep(steps[channel])
      let u = (values[index] - (offsets?[channel] ?? 0)) / width
      let isWithin = u > low && u < high
      let code = quantization.rounded(u)
      if isWithin || (quantization.includesEnds && (u == low || u == high)) {
        dX[index] = dY[index]
      }
      switch quantization.stepGradient {
      case .none: break
      case .learned: sums[0][channel] += Double(dY[index] * (isWithin ? code - u : code))
      case .clipping: sums[0][channel] += isWithin ? 0 : Double(dY[index] * code)
      }
      if !isWithin { sums[1][channel] += Double(dY[index]) }
    }
    var outputs = [Tensor(dX, shape: x.shape).converted(to: results[0].elementType)]
    for (place, result) in results.dropFirst().enumerated() {
      let scaled = sums[place].map { $0 * Double(quantization.gradientScale) }
      outputs.append(
        Tensor(reals: scaled, shape: step.shape, elementType: result.elementType))
    }
    return outputs
  }
}
