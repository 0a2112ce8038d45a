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

  public init(axis: Int = 1, blockSize: Int = 0, outputType: ElementType? = nil) {
    self.axis = axis
    self.blockSize = blockSize
    self.outputType = outputType
  }
}

/// `(x − zero point) · scale`; inputs x, scale and optionally zero point.
public struct DequantizeLinear: Op {
  public var kind: String { "DequantizeLinear" }
  public var axis: Int
  public var blockSize: Int

  public init(axis: Int = 1, blockSize: Int = 0) {
    self.axis = axis
    self.blockSize = blockSize
  }
}

/// Quantizes to `uint8` by the input's own range; outputs codes, scale and zero point.
public struct DynamicQuantizeLinear: Op {
  public var kind: String { "DynamicQuantizeLinear" }
  public init() {}
}
