// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension UnaryGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    let dY = try operands.required(0, "dY").type
    let x = try operands.required(1, "X").type
    guard Unary(function).realDerivative() != nil else {
      throw .invalidAttribute(
        name: "function", found: Unary(function).kind, expected: "a function with a derivative")
    }
    try ElementTypeRule.floating.check(x, "X")
    let dimensions = try checkReals(dY, "dY", like: x?.dimensions)
    return [(x ?? dY).map { TensorType($0.elementType, dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    let dY = try inputs.required(0, "dY").reals()
    let x = try inputs.required(1, "X")
    guard let derivative = Unary(function).realDerivative() else {
      throw .notEvaluable(kind: kind)
    }
    let values = zip(dY, x.reals()).map { $0 * derivative($1) }
    return [Tensor(reals: values, shape: x.shape, elementType: results[0].elementType)]
  }
}

extension ClipGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    let dY = try operands.required(0, "dY").type
    let x = try operands.required(1, "X").type
    try ElementTypeRule.floating.check(x, "X")
    let dimensions = try checkReals(dY, "dY", like: x?.dimensions)
    return [(x ?? dY).map { TensorType($0.elementType, dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    let dY = try inputs.required(0, "dY").reals()
    let x = try inputs.required(1, "X")
    let values = zip(dY, x.reals()).map { $1 > Double(lower) && $1 < Double(upper) ? $0 : 0 }
    return [Tensor(reals: values, shape: x.shape, elementType: results[0].elementType)]
  }
}

extension SliceGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let dY = try operands.required(0, "dY").type
    try ElementTypeRule.floating.check(dY, "dY")
    guard starts.count == axes.count, steps.count == axes.count, extents.count == axes.count else {
      throw .invalidAttribute(
        name: "starts", found: "\(starts)", expected: "as many starts, steps and extents as axes")
    }
    guard let dY, var dimensions = dY.dimensions else { return [dY] }
    for (index, axis) in try Axes.normalized(axes, rank: dimensions.count).enumerated() {
      let (start, step, extent) = (starts[index], steps[index], extents[index])
      if let count = dimensions[axis].value, count > 0 {
        let (reach, overflow) = (count - 1).multipliedReportingOverflow(by: step)
        guard extent >= 0, !overflow, step != 0, (0..<extent).contains(start),
          (-start..<(extent - start)).contains(reach)
        else {
          throw .invalidAttribute(
            name: "starts", found: "\(count) elements from \(start) in steps of \(step)",
            expected: "positions in 0..<\(extent) of axis \(axis)")
        }
      }
      dimensions[axis] = .fixed(extent)
    }
    return [TensorType(dY.elementType, dimensions)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let (elementType, shape) = try resultTypes(inputs, outputCount: outputCount)[0]
    let dY = try inputs.required(0, "dY")
    let sources = Tensor.strides(of: dY.shape)
    var targets = Tensor.strides(of: shape)
    var start = 0
    if !dY.shape.contains(0) {
      for (index, axis) in try Axes.normalized(axes, rank: dY.rank).enumerated() {
        start += starts[index] * targets[axis]
        targets[axis] *= dY.shape[axis] > 1 ? steps[index] : 1
      }
    }
    var buffer = ElementBuffer(elementType, count: shape.reduce(1, *))
    let loops = dY.shape.indices.map {
      MoveAxis(extent: dY.shape[$0], sourceStride: sources[$0], targetStride: targets[$0])
    }
    try buffer.move(from: ElementBuffer(dY), axes: loops, targetStart: start)
    return [buffer.tensor(shape: shape)]
  }
}

extension SumToShape {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    let dY = try operands.required(0, "dY").type
    let model = try operands.required(1, "operand").type
    try ElementTypeRule.floating.check(dY, "dY")
    if let found = dY?.dimensions, let wanted = model?.dimensions,
      !Broadcasting.canStretch(wanted, to: found)
    {
      throw .invalidShape(
        input: "operand", found: wanted.map { $0.value ?? -1 },
        expected: "a shape that broadcasts to \(found.map(\.description).joined(separator: "×"))")
    }
    return [dY.map { TensorType($0.elementType, model?.dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let (elementType, shape) = try resultTypes(inputs, outputCount: outputCount)[0]
    let dY = try inputs.required(0, "dY")
    guard let sums = dY.reals().summed(from: dY.shape, to: shape) else {
      throw .notEvaluable(kind: kind)
    }
    return [Tensor(reals: sums, shape: shape, elementType: elementType)]
  }
}

extension [Double] {
  /// Sums of the elements that stretching `target` to `shape` makes of one; `nil` if `target` does
  /// not broadcast to `shape`.
  func summed(from shape: [Int], to target: [Int]) -> [Double]? {
    guard let places = Broadcasting.indices(of: target, in: shape) else { return nil }
    var sums = [Double](repeating: 0, count: target.reduce(1, *))
    for (index, place) in places.enumerated() { sums[place] += self[index] }
    return sums
  }
}
