// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Division by the root of the mean square over the axes from `axis` on; inputs X and scale.
public struct RMSNormalization: CompositeOp {
  public var kind: String { "RMSNormalization" }
  public var axis: Int
  public var epsilon: Float
  /// The type in which the statistics are computed; that of X if `nil`.
  public var precision: ElementType?

  public init(axis: Int = -1, epsilon: Float = 1e-5, precision: ElementType? = .float32) {
    self.axis = axis
    self.epsilon = epsilon
    self.precision = precision
  }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    let (x, scale): (ValueID, ValueID) = (
      try inputs.required(0, "X"), try inputs.required(1, "scale")
    )
    try ElementTypeRule.floating.check(body.graph[x].type, "X")
    let rank = try body.rank(x)
    let first = try Axes.normalized(axis, rank: rank)
    let type = try body.elementType(x)
    let wide = try body.cast(x, to: precision ?? type)
    let mean = try body.reduce(
      .mean, body.binary(.multiply, wide, wide), axes: Array(first..<rank))
    let shifted = try body.binary(
      .add, mean, body.scalar(Double(epsilon), precision ?? type))
    let normalized = try body.binary(.divide, wide, body.unary(.sqrt, shifted))
    let narrow = try body.cast(normalized, to: body.elementType(scale))
    return [try body.binary(.multiply, narrow, scale)]
  }
}

/// Normalization of groups of channels of each sample; inputs X, scale and bias, one for each
/// channel.
public struct GroupNormalization: CompositeOp {
  public var kind: String { "GroupNormalization" }
  public var groups: Int
  public var epsilon: Float
  /// Whether scale and bias have one element per group, as before operator set 21.
  public var scalesGroups: Bool
  /// The type in which the statistics are computed; that of X if `nil`.
  public var precision: ElementType?

  public init(
    groups: Int, epsilon: Float = 1e-5, scalesGroups: Bool = false,
    precision: ElementType? = .float32
  ) {
    self.groups = groups
    self.epsilon = epsilon
    self.scalesGroups = scalesGroups
    self.precision = precision
  }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(3...3)
    try checkOutputCount(outputCount, 1...1)
    let x: ValueID = try inputs.required(0, "X")
    let type = try body.elementType(x)
    try ElementTypeRule.floating.check(body.graph[x].type, "X")
    let rank = try body.rank(x)
    guard rank >= 2 else { throw .invalidRank(input: "X", found: rank, expected: "2 or more") }
    if let channels = try body.dimensions(x)[1].value {
      guard groups > 0, channels % groups == 0 else {
        throw .invalidAttribute(
          name: "num_groups", found: "\(groups)", expected: "a divisor of \(channels)")
      }
    }
    let wide = try body.cast(x, to: precision ?? type)
    let wideType = try body.elementType(wide)
    var factors: [ValueID] = []
    for (index, name) in [(1, "scale"), (2, "bias")] {
      factors.append(try body.cast(inputs.required(index, name), to: wideType))
    }
    let ones = Tensor(
      reals: Array(repeating: 1, count: groups), shape: [groups], elementType: wideType)
    var inner = [body.constant(ones), body.constant(Tensor(zerosOf: wideType, shape: [groups]))]
    if scalesGroups { inner = factors }
    let normalized = try body.add(
      InstanceNormalization(epsilon: epsilon), body.reshape(wide, [0, groups, -1]), inner[0],
      inner[1])
    var result = try body.add(Reshape(), normalized, body.add(Shape(), x))
    if !scalesGroups {
      let perChannel = [-1] + Array(repeating: 1, count: rank - 2)
      result = try body.binary(.multiply, result, body.reshape(factors[0], perChannel))
      result = try body.binary(.add, result, body.reshape(factors[1], perChannel))
    }
    return [try body.cast(result, to: type)]
  }
}

/// Subtraction of the mean and division by the standard deviation over the given axes.
public struct MeanVarianceNormalization: CompositeOp {
  public var kind: String { "MeanVarianceNormalization" }
  public var axes: [Int]
  public init(axes: [Int] = [0, 2, 3]) { self.axes = axes }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let x: ValueID = try inputs.required(0, "X")
    try ElementTypeRule.floating.check(body.graph[x].type, "X")
    let centered = try body.binary(.subtract, x, body.reduce(.mean, x, axes: axes))
    let variance = try body.reduce(
      .mean, body.binary(.multiply, centered, centered), axes: axes)
    let deviation = try body.binary(
      .add, body.unary(.sqrt, variance), body.scalar(1e-9, body.elementType(x)))
    return [try body.binary(.divide, centered, deviation)]
  }
}

/// Division by the sum of magnitudes, or by the root of the sum of squares, along an axis; zero
/// where that is zero.
public struct LpNormalization: CompositeOp {
  public var kind: String { "LpNormalization" }
  public var axis: Int
  /// 1 or 2.
  public var order: Int

  public init(axis: Int = -1, order: Int = 2) {
    self.axis = axis
    self.order = order
  }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    guard order == 1 || order == 2 else {
      throw .invalidAttribute(name: "p", found: "\(order)", expected: "1 or 2")
    }
    let x: ValueID = try inputs.required(0, "input")
    let type = try body.elementType(x)
    try ElementTypeRule.floating.check(body.graph[x].type, "input")
    let norm = try body.reduce(order == 1 ? .l1 : .l2, x, axes: [axis])
    let isZero = try body.binary(.equal, norm, body.scalar(0, type))
    return [
      try body.binary(.divide, x, body.add(Where(), isZero, body.scalar(1, type), norm))
    ]
  }
}

/// One at the first greatest element along an axis, zero elsewhere.
public struct Hardmax: CompositeOp {
  public var kind: String { "Hardmax" }
  public var axis: Int
  /// Whether all axes from `axis` on count as one, as before operator set 13.
  public var flattensTrailingAxes: Bool

  public init(axis: Int = -1, flattensTrailingAxes: Bool = false) {
    self.axis = axis
    self.flattensTrailingAxes = flattensTrailingAxes
  }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let x: ValueID = try inputs.required(0, "input")
    let type = try body.elementType(x)
    try ElementTypeRule.floating.check(body.graph[x].type, "input")
    let line = flattensTrailingAxes ? try body.add(Flatten(axis: axis), x) : x
    let place = flattensTrailingAxes ? 1 : try Axes.normalized(axis, rank: body.rank(x))
    let greatest = try body.add(
      ArgExtreme(isMaximum: true, axis: place, keepsDimensions: false), line)
    let values = Tensor(reals: [0, 1], shape: [2], elementType: type)
    let hot = try body.add(
      OneHot(axis: place), greatest, body.length(line, place), body.constant(values))
    return [
      flattensTrailingAxes ? try body.add(Reshape(), hot, body.add(Shape(), x)) : hot
    ]
  }
}
