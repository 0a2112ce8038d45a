// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// The shape of the input as `int64`, or a part of it.
public struct Shape: Op {
  public var kind: String { "Shape" }
  public var start: Int
  public var end: Int?
  public init(start: Int = 0, end: Int? = nil) {
    self.start = start
    self.end = end
  }
}

/// The number of elements of the input as an `int64` scalar.
public struct Size: Op {
  public var kind: String { "Size" }
  public init() {}
}

/// A tensor of the shape that the input holds, every element the same.
public struct ConstantOfShape: Op {
  public var kind: String { "ConstantOfShape" }
  /// One element.
  public var value: Tensor
  public init(value: Tensor = Tensor([Float(0)], shape: [1])) { self.value = value }
}

/// Numbers from start, before limit, by delta; three scalars.
public struct NumberRange: Op {
  public var kind: String { "Range" }
  public init() {}
}
