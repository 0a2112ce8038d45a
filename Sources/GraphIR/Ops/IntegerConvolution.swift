// SPDX-License-Identifier: Apache-2.0

/// Convolution of 8-bit integers with zero points, accumulated in 32 bits; inputs x, w and
/// optionally the zero points of x (one) and of w (one, or one per output channel).
public struct ConvInteger: Op {
  public var kind: String { "ConvInteger" }
  /// Empty lists mean 1 along every spatial axis.
  public var strides: [Int]
  public var dilations: [Int]
  public var padding: Padding
  public var group: Int

  public init(
    strides: [Int] = [], dilations: [Int] = [], padding: Padding = .explicit([]), group: Int = 1
  ) {
    self.strides = strides
    self.dilations = dilations
    self.padding = padding
    self.group = group
  }
}

/// Convolution of quantized tensors to a quantized one; inputs x, w and y in codes, each followed
/// by its scale and zero point (y has only these two), and optionally an `int32` bias in steps of
/// the product of the scales of x and w.
public struct QLinearConv: Op {
  public var kind: String { "QLinearConv" }
  /// Empty lists mean 1 along every spatial axis.
  public var strides: [Int]
  public var dilations: [Int]
  public var padding: Padding
  public var group: Int

  public init(
    strides: [Int] = [], dilations: [Int] = [], padding: Padding = .explicit([]), group: Int = 1
  ) {
    self.strides = strides
    self.dilations = dilations
    self.padding = padding
    self.group = group
  }
}
