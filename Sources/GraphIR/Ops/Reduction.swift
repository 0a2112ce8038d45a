// SPDX-License-Identifier: Apache-2.0

/// A reduction over the axes of the second input, or over all.
public struct Reduce: Op {
  public enum Function: String, Sendable, CaseIterable {
    case l1 = "ReduceL1", l2 = "ReduceL2", logSum = "ReduceLogSum", logSumExp = "ReduceLogSumExp"
    case maximum = "ReduceMax", mean = "ReduceMean", minimum = "ReduceMin"
    case product = "ReduceProd", sum = "ReduceSum", sumOfSquares = "ReduceSumSquare"
  }
  public var kind: String { function.rawValue }
  public var function: Function
  public var keepsDimensions: Bool
  /// Whether an empty list of axes means none rather than all.
  public var emptyAxesMeanNone: Bool

  public init(_ function: Function, keepsDimensions: Bool = true, emptyAxesMeanNone: Bool = false) {
    self.function = function
    self.keepsDimensions = keepsDimensions
    self.emptyAxesMeanNone = emptyAxesMeanNone
  }
}

/// The index of the greatest or least element along an axis.
public struct ArgExtreme: Op {
  public var kind: String { isMaximum ? "ArgMax" : "ArgMin" }
  public var isMaximum: Bool
  public var axis: Int
  public var keepsDimensions: Bool
  public var selectsLast: Bool

  public init(
    isMaximum: Bool, axis: Int = 0, keepsDimensions: Bool = true, selectsLast: Bool = false
  ) {
    self.isMaximum = isMaximum
    self.axis = axis
    self.keepsDimensions = keepsDimensions
    self.selectsLast = selectsLast
  }
}
