// SPDX-License-Identifier: Apache-2.0

/// What becomes of an element that a scatter operator writes to.
public enum ScatterReduction: String, Sendable {
  /// The update takes its place; where several do, the last one.
  case none
  case add
  case multiply = "mul"
  case minimum = "min"
  case maximum = "max"
}

/// For each index of the second input, the element of the first whose position along the axis
/// is that index and whose position along the others is the index's own.
public struct GatherElements: Op {
  public var kind: String { "GatherElements" }
  public var axis: Int
  public init(axis: Int = 0) { self.axis = axis }
}

/// Slices of the first input at positions that the last axis of the second input lists.
public struct GatherND: Op {
  public var kind: String { "GatherND" }
  /// How many leading axes of both inputs are walked together.
  public var batchDimensions: Int
  public init(batchDimensions: Int = 0) { self.batchDimensions = batchDimensions }
}

/// The first input with elements of the third written where `GatherElements` would read.
public struct ScatterElements: Op {
  public var kind: String { "ScatterElements" }
  public var axis: Int
  public var reduction: ScatterReduction
  public init(axis: Int = 0, reduction: ScatterReduction = .none) {
    self.axis = axis
    self.reduction = reduction
  }
}

/// The first input with slices of the third written where `GatherND` would read.
public struct ScatterND: Op {
  public var kind: String { "ScatterND" }
  public var reduction: ScatterReduction
  public init(reduction: ScatterReduction = .none) { self.reduction = reduction }
}

/// A new axis that is "on" at the index and "off" elsewhere; inputs indices, depth and
/// the two values, off first.
public struct OneHot: Op {
  public var kind: String { "OneHot" }
  public var axis: Int
  public init(axis: Int = -1) { self.axis = axis }
}
