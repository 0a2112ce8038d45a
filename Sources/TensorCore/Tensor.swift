// SPDX-License-Identifier: Apache-2.0

/// A dense array of elements of one type, in row-major order.
///
/// A value type; copies share storage until one of them is changed. Elements narrower than a
/// byte are packed, low bits first, as ONNX stores them.
public struct Tensor: Sendable, Equatable {
  public let elementType: ElementType
  public let shape: [Int]

  /// The elements, little-endian, row-major, packed.
  public let bytes: [UInt8]

  /// Number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// Number of dimensions; 0 for a scalar.
  public var rank: Int { shape.count }

  /// A tensor over bytes that are already in the layout of `bytes`.
  ///
  /// - Throws: `TensorError` if the shape is negative or too large, or the bytes do not fit it.
  public init(elementType: ElementType, shape: [Int], bytes: [UInt8]) throws(TensorError) {
    let expected = try Tensor.checkedByteCount(elementType: elementType, shape: shape)
    guard bytes.count == expected else {
      throw .byteCountMismatch(
        expected: expected, actual: bytes.count, elementType: elementType, shape: shape)
    }
    self.init(uncheckedElementType: elementType, shape: shape, bytes: bytes)
  }

  /// A tensor whose every byte is zero, which is zero in every element type.
  public init(zerosOf elementType: ElementType, shape: [Int]) {
    let count = elementType.byteCount(of: shape.reduce(1, *))
    self.init(
      uncheckedElementType: elementType, shape: shape, bytes: [UInt8](repeating: 0, count: count))
  }

  /// Bytes that a tensor of this type and shape takes.
  ///
  /// - Throws: `TensorError` if a dimension is negative or the product of those that are not
  ///   zero overflows.
  public static func checkedByteCount(
    elementType: ElementType, shape: [Int]
  ) throws(TensorError) -> Int {
    guard shape.allSatisfy({ $0 >= 0 }) else { throw .negativeDimension(shape: shape) }
    var count = 1
    for dimension in shape where dimension > 0 {
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      guard !overflow, product < Int.max / 64 else { throw .tooManyElements(shape: shape) }
      count = product
    }
    return shape.contains(0) ? 0 : elementType.byteCount(of: count)
  }

  /// The same elements under another shape.
  ///
  /// - Throws: `TensorError.elementCountMismatch` if the numbers of elements differ.
  public func reshaped(to newShape: [Int]) throws(TensorError) -> Tensor {
    guard newShape.reduce(1, *) == count else {
      throw .elementCountMismatch(from: shape, to: newShape)
    }
    return Tensor(uncheckedElementType: elementType, shape: newShape, bytes: bytes)
  }

  package init(uncheckedElementType elementType: ElementType, shape: [Int], bytes: [UInt8]) {
    self.elementType = elementType
    self.shape = shape
    self.bytes = bytes
  }
}

extension Tensor {
  /// Element distances between neighbours along each dimension of a row-major tensor.
  public static func strides(of shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for index in stride(from: shape.count - 2, through: 0, by: -1) {
      strides[index] = strides[index + 1] * shape[index + 1]
    }
    return strides
  }
}
