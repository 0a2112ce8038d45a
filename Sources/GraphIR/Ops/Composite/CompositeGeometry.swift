// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// The sampling positions of an affine map; inputs theta `[N, 2, 3]` or `[N, 3, 4]` and the size of
/// the image to be made.
public struct AffineGrid: CompositeOp {
  public var kind: String { "AffineGrid" }
  public var alignsCorners: Bool
  public init(alignsCorners: Bool = false) { self.alignsCorners = alignsCorners }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    let (theta, size): (ValueID, ValueID) = (
      try inputs.required(0, "theta"), try inputs.required(1, "size")
    )
    let type = try body.elementType(theta)
    try ElementTypeRule.floating.check(body.graph[theta].type, "theta")
    let count = try body.extent(size, 0)
    guard count == 4 || count == 5 else {
      throw .invalidShape(input: "size", found: [count], expected: "[4] or [5]")
    }
    let extents = try body.slice(size, axis: 0, from: 2)
    var coordinates: [ValueID] = []
    for axis in stride(from: count - 3, through: 0, by: -1) {
      let line = try line(
        body.squeeze(body.slice(extents, axis: 0, from: axis, to: axis + 1), [0]), type, &body)
      var shape = Array(repeating: 1, count: count - 2)
      shape[axis] = -1
      coordinates.append(try body.add(Expand(), body.reshape(line, shape), extents))
    }
    coordinates.append(try body.add(Expand(), body.scalar(1, type), extents))
    let columns = try coordinates.map { (id) throws(OpError) in try body.reshape(id, [-1, 1]) }
    let positions = try body.addNode(Concat(axis: 1), columns, outputCount: 1)[0]
    let moved = try body.add(MatMul(), positions, body.transpose(theta, [0, 2, 1]))
    let shape = try body.add(
      Concat(axis: 0), body.slice(size, axis: 0, from: 0, to: 1), extents,
      body.integers([count - 2]))
    return [try body.add(Reshape(), moved, shape)]
  }

  /// Positions along an axis, from −1 to 1.
  private func line(
    _ extent: ValueID, _ type: ElementType, _ body: inout Composition
  ) throws(OpError) -> ValueID {
    let steps = try body.cast(body.range(extent), to: type)
    let length = try body.cast(extent, to: type)
    let (one, two) = (body.scalar(1, type), body.scalar(2, type))
    if alignsCorners {
      let gaps = try body.add(
        Variadic(.maximum), body.binary(.subtract, length, one), one)
      return try body.binary(
        .subtract, body.binary(.divide, body.binary(.multiply, steps, two), gaps), one)
    }
    let centers = try body.binary(.add, body.binary(.multiply, steps, two), one)
    return try body.binary(.subtract, body.binary(.divide, centers, length), one)
  }
}

/// Cuts or pads with zeros, as much on both sides, to the given extents; inputs data and these.
public struct CenterCropPad: CompositeOp {
  public var kind: String { "CenterCropPad" }
  /// The axes that the extents are for; all if `nil`.
  public var axes: [Int]?
  public init(axes: [Int]? = nil) { self.axes = axes }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    let data: ValueID = try inputs.required(0, "input_data")
    let wanted = try body.cast(inputs.required(1, "shape"), to: .int64)
    let rank = try body.rank(data)
    let chosen = try axes.map { (axes) throws(OpError) in
      try Axes.normalized(axes, rank: rank)
    }
    let places = body.integers(chosen ?? Array(0..<rank))
    let present = try body.add(Gather(), body.add(Shape(), data), places)
    let (zero, two) = (body.scalar(0, .int64), body.scalar(2, .int64))
    let surplus = try body.add(
      Variadic(.maximum), body.binary(.subtract, present, wanted), zero)
    let start = try body.binary(.divide, surplus, two)
    let kept = try body.add(Variadic(.minimum), present, wanted)
    let cut = try body.add(Slice(), data, start, body.binary(.add, start, kept), places)
    let missing = try body.add(
      Variadic(.maximum), body.binary(.subtract, wanted, present), zero)
    let before = try body.binary(.divide, missing, two)
    let pads = try body.add(
      Concat(axis: 0), before, body.binary(.subtract, missing, before))
    return [try body.add(Pad(), cut, pads, nil, places)]
  }
}
