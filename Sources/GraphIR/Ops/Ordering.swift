// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// The greatest or least elements along an axis, as many as the second input says, and their
/// indices; of equal elements the one with the lower index comes first.
public struct TopK: Op {
  public var kind: String { "TopK" }
  public var axis: Int
  public var selectsLargest: Bool
  /// Whether the elements must come in order; they always do here.
  public var sorts: Bool
  public init(axis: Int = -1, selectsLargest: Bool = true, sorts: Bool = true) {
    self.axis = axis
    self.selectsLargest = selectsLargest
    self.sorts = sorts
  }
}

/// Sums of the elements up to each one, along the axis that the second input names.
public struct CumSum: Op {
  public var kind: String { multiplies ? "CumProd" : "CumSum" }
  /// Whether an element is left out of its own sum.
  public var isExclusive: Bool
  /// Whether sums run from the last element.
  public var isReversed: Bool
  /// Whether products are taken rather than sums.
  public var multiplies: Bool
  public init(isExclusive: Bool = false, isReversed: Bool = false, multiplies: Bool = false) {
    self.multiplies = multiplies
    self.isExclusive = isExclusive
    self.isReversed = isReversed
  }
}

/// The upper or lower triangle of each matrix of the last two axes, zero elsewhere; the second
/// input, if there, moves the diagonal.
public struct Trilu: Op {
  public var kind: String { "Trilu" }
  public var isUpper: Bool
  public init(isUpper: Bool = true) { self.isUpper = isUpper }
}

/// The positions of the elements that are not zero, a column each.
public struct NonZero: Op {
  public var kind: String { "NonZero" }
  public init() {}
}

/// A matrix of the input's shape with ones on a diagonal.
public struct EyeLike: Op {
  public var kind: String { "EyeLike" }
  /// The type of the result; the input's if `nil`.
  public var elementType: ElementType?
  /// How far the diagonal lies above the main one.
  public var offset: Int
  public init(elementType: ElementType? = nil, offset: Int = 0) {
    self.elementType = elementType
    self.offset = offset
  }
}
