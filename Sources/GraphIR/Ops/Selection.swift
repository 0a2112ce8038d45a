// SPDX-License-Identifier: Apache-2.0

/// Joins the inputs along an axis.
public struct Concat: Op {
  public var kind: String { "Concat" }
  public var axis: Int
  public init(axis: Int) { self.axis = axis }
}

/// Cuts the first input along an axis into parts: of the lengths of the second input, or equal.
public struct Split: Op {
  public var kind: String { "Split" }
  public var axis: Int
  public init(axis: Int = 0) { self.axis = axis }
}

/// A strided part; inputs data, starts, ends, and optionally axes and steps.
public struct Slice: Op {
  public var kind: String { "Slice" }
  public init() {}
}

/// Slices of the first input along an axis at the indices of the second.
public struct Gather: Op {
  public var kind: String { "Gather" }
  public var axis: Int
  public init(axis: Int = 0) { self.axis = axis }
}

/// Pads or crops; inputs data, pads, and optionally the constant value and the axes.
public struct Pad: Op {
  public enum Mode: String, Sendable { case constant, reflect, edge, wrap }
  public var kind: String { "Pad" }
  public var mode: Mode
  public init(mode: Mode = .constant) { self.mode = mode }
}
