// SPDX-License-Identifier: Apache-2.0

/// The window of a pooling operator over the spatial axes.
public struct PoolingWindow: Sendable, Equatable {
  public var kernel: [Int]
  /// Empty lists mean 1 along every spatial axis.
  public var strides: [Int]
  public var dilations: [Int]
  public var padding: Padding
  public var ceilMode: Bool

  public init(
    kernel: [Int], strides: [Int] = [], dilations: [Int] = [],
    padding: Padding = .explicit([]), ceilMode: Bool = false
  ) {
    self.kernel = kernel
    self.strides = strides
    self.dilations = dilations
    self.padding = padding
    self.ceilMode = ceilMode
  }
}

/// The greatest element of each window, and optionally its index as a second output.
public struct MaxPool: Op {
  public var kind: String { "MaxPool" }
  public var window: PoolingWindow
  /// Whether indices count column by column.
  public var columnMajorIndices: Bool

  public init(window: PoolingWindow, columnMajorIndices: Bool = false) {
    self.window = window
    self.columnMajorIndices = columnMajorIndices
  }
}

/// The mean of each window.
public struct AveragePool: Op {
  public var kind: String { "AveragePool" }
  public var window: PoolingWindow
  public var countsPadding: Bool

  public init(window: PoolingWindow, countsPadding: Bool = false) {
    self.window = window
    self.countsPadding = countsPadding
  }
}

/// One number per channel: the mean or the greatest element of all spatial positions.
public struct GlobalPool: Op {
  public enum Statistic: String, Sendable { case average, maximum }
  public var kind: String { statistic == .average ? "GlobalAveragePool" : "GlobalMaxPool" }
  public var statistic: Statistic

  public init(_ statistic: Statistic) { self.statistic = statistic }
}
