// SPDX-License-Identifier: Apache-2.0

/// The gradient of `MaxPool`; inputs dY, X; output dX.
///
/// The first greatest element of a window takes its gradient.
public struct MaxPoolGradient: Op {
  public var kind: String { "MaxPoolGradient" }
  public var domain: String { "swiftlet.internal" }
  public var window: PoolingWindow

  public init(window: PoolingWindow) { self.window = window }
}

/// The gradient of `AveragePool`; input dY; output dX.
public struct AveragePoolGradient: Op {
  public var kind: String { "AveragePoolGradient" }
  public var domain: String { "swiftlet.internal" }
  public var window: PoolingWindow
  public var countsPadding: Bool
  /// Spatial extents of the pool's input.
  public var inputExtents: [Int]

  public init(window: PoolingWindow, countsPadding: Bool, inputExtents: [Int]) {
    self.window = window
    self.countsPadding = countsPadding
    self.inputExtents = inputExtents
  }
}

/// The gradient of `GlobalPool(.average)`; input dY `[N, C, 1, …]`; output dX.
public struct GlobalAveragePoolGradient: Op {
  public var kind: String { "GlobalAveragePoolGradient" }
  public var domain: String { "swiftlet.internal" }
  /// Spatial extents of the pool's input.
  public var inputExtents: [Int]

  public init(inputExtents: [Int]) { self.inputExtents = inputExtents }
}
