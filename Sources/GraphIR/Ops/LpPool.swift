// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

/// The root of the sum of powers of the magnitudes under a window.
public struct LpPool: Op {
  public var kind: String { "LpPool" }
  public var window: PoolingWindow
  public var order: Int

  public init(window: PoolingWindow, order: Int = 2) {
    self.window = window
    self.order = order
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    guard order > 0 else {
      throw .invalidAttribute(name: "p", found: "\(order)", expected: "1 or more")
    }
    let x = try operands.required(0, "X").type
    try ElementTypeRule.floating.check(x, "X")
    let dimensions = try window.outputDimensions(x: x?.dimensions)
    return [x.map { TensorType($0.elementType, dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let x = try inputs.required(0, "X")
    let geometry = try window.geometry(input: Array(x.shape.dropFirst(2)))
    let volume = geometry.input.reduce(1, *)
    let planes = x.shape[0] * x.shape[1]
    let positions = geometry.output.reduce(1, *)
    let exponent = Double(order)
    let powers = x.reals().map { pow(abs($0), exponent) }
    var values = [Double](repeating: 0, count: planes * positions)
    geometry.forEachWindow { position, lines in
      for plane in 0..<planes {
        var sum = 0.0
        for line in lines {
          for tap in 0..<line.count { sum += powers[plane * volume + line.start + tap * line.step] }
        }
        values[plane * positions + position] = pow(sum, 1 / exponent)
      }
    }
    return [Tensor(reals: values, shape: results[0].shape, elementType: x.elementType)]
  }
}

/// The root of the sum of powers of the magnitudes of each channel.
public struct GlobalLpPool: CompositeOp {
  public var kind: String { "GlobalLpPool" }
  public var order: Int
  public init(order: Int = 2) { self.order = order }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let x: ValueID = try inputs.required(0, "X")
    let type = try body.elementType(x)
    let rank = try body.rank(x)
    guard rank >= 3, order > 0 else {
      throw .invalidRank(input: "X", found: rank, expected: "3 or more")
    }
    let powers = try body.binary(
      .power, body.unary(.abs, x), body.scalar(Double(order), type))
    let sums = try body.reduce(.sum, powers, axes: Array(2..<rank))
    return [try body.binary(.power, sums, body.scalar(1 / Double(order), type))]
  }
}

/// Puts each element where the index of a maximum pooling says, zero elsewhere; inputs X, indices
/// and optionally the shape of the result.
public struct MaxUnpool: Op {
  public var kind: String { "MaxUnpool" }
  public var window: PoolingWindow
  public init(window: PoolingWindow) { self.window = window }

  /// The shape that the pooling had before, where it divided evenly.
  private func natural(_ x: [Dimension]) throws(OpError) -> [Dimension] {
    let spatial = x.count - 2
    guard spatial > 0, window.kernel.count == spatial,
      window.strides.isEmpty || window.strides.count == spatial
    else {
      throw .invalidAttribute(
        name: "kernel_shape", found: "\(window.kernel)", expected: "\(max(spatial, 1)) extents")
    }
    var pads = [Int](repeating: 0, count: 2 * spatial)
    if case .explicit(let given) = window.padding, !given.isEmpty { pads = given }
    guard pads.count == 2 * spatial else {
      throw .invalidAttribute(name: "pads", found: "\(pads)", expected: "\(2 * spatial) numbers")
    }
    return Array(x[..<2])
      + (0..<spatial).map { axis in
        let stride = window.strides.isEmpty ? 1 : window.strides[axis]
        let rest = window.kernel[axis] - pads[axis] - pads[spatial + axis]
        return (x[axis + 2] - .fixed(1)) * .fixed(stride) + .fixed(rest)
      }
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...3)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "X").type
    let indices = try operands.required(1, "I").type
    try ElementTypeRule.only(.int64).check(indices, "I")
    if let given = x?.shape, let places = indices?.shape, given != places {
      throw .invalidShape(input: "I", found: places, expected: "\(given), as X")
    }
    guard let x, let dimensions = x.dimensions else { return [x] }
    let natural = try natural(dimensions)
    guard let wanted = operands.optional(2) else { return [TensorType(x.elementType, natural)] }
    guard let shape = try wanted.checkedContents("output_shape") else {
      return [TensorType(x.elementType, dimensions.map { _ in .unknown })]
    }
    let fits = zip(shape, natural).allSatisfy { ($0.value ?? .max) >= ($1.value ?? 0) }
    guard shape.count == natural.count, fits else {
      throw .invalidValue(
        input: "output_shape", found: "\(shape)", expected: "\(natural) or more")
    }
    return [TensorType(x.elementType, shape)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let shape = try resultTypes(inputs, outputCount: outputCount)[0].shape
    let x = try inputs.required(0, "X")
    let places = try inputs.required(1, "I").integers()
    let natural = try natural(x.shape.map { .fixed($0) }).compactMap(\.value)
    let count = try ResultLimit.check(natural, x.elementType)
    guard places.allSatisfy({ (0..<Int64(count)).contains($0) }) else {
      throw .invalidValue(input: "I", found: "an index outside", expected: "0..<\(count)")
    }
    var result = ElementBuffer(x.elementType, count: count)
    try result.scatter(ElementBuffer(x), to: places.map { Int($0) })
    if natural == shape { return [result.tensor(shape: shape)] }
    let total = try ResultLimit.check(shape, x.elementType)
    var larger = ElementBuffer(x.elementType, count: total)
    let (from, to) = (Tensor.strides(of: natural), Tensor.strides(of: shape))
    try larger.move(
      from: result,
      axes: natural.indices.map {
        MoveAxis(extent: natural[$0], sourceStride: from[$0], targetStride: to[$0])
      })
    return [larger.tensor(shape: shape)]
  }
}
