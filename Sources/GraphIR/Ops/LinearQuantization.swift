// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// `saturate(round(x / scale) + zero point)`; inputs x, scale and optionally zero point.
///
/// Scale and zero point are scalars, vectors along `axis`, or blocked along `axis`.
public struct QuantizeLinear: Op {
  public var kind: String { "QuantizeLinear" }
  public var axis: Int
  public var blockSize: Int
  /// The type of the result where no zero point gives it; `uint8` if `nil`.
  public var outputType: ElementType?
  /// The floating-point type in which x is divided by the scale; the scale's type if `nil`.
  public var precision: ElementType?

  public init(
    axis: Int = 1, blockSize: Int = 0, outputType: ElementType? = nil,
    precision: ElementType? = nil
  ) {
    self.axis = axis
    self.blockSize = blockSize
    self.outputType = outputType
    self.precision = precision
  }
}

/// `(x − zero point) · scale`; inputs x, scale and optionally zero point.
public struct DequantizeLinear: Op {
  public var kind: String { "DequantizeLinear" }
  public var axis: Int
  public var blockSize: Int
  /// The type of the result; the scale's type if `nil`.
  public var outputType: ElementType?

  public init(axis: Int = 1, blockSize: Int = 0, outputType: ElementType? = nil) {
    self.axis = axis
    self.blockSize = blockSize
    self.outputType = outputType
  }
}

/// Quantizes to `uint8` by the input's own range; outputs codes, scale and zero point.
public struct DynamicQuantizeLinear: Op {
  public var kind: String { "DynamicQuantizeLinear" }
  public init() {}
}
