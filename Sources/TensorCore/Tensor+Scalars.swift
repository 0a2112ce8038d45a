// SPDX-License-Identifier: Apache-2.0

/// A Swift type whose memory is that of an element type of at least one byte.
public protocol TensorScalar: Sendable, BitwiseCopyable {
  static var elementType: ElementType { get }
}

extension Float: TensorScalar { public static var elementType: ElementType { .float32 } }
extension Double: TensorScalar { public static var elementType: ElementType { .float64 } }
extension Int8: TensorScalar { public static var elementType: ElementType { .int8 } }
extension Int16: TensorScalar { public static var elementType: ElementType { .int16 } }
extension Int32: TensorScalar { public static var elementType: ElementType { .int32 } }
extension Int64: TensorScalar { public static var elementType: ElementType { .int64 } }
extension UInt8: TensorScalar { public static var elementType: ElementType { .uint8 } }
extension UInt16: TensorScalar { public static var elementType: ElementType { .uint16 } }
extension UInt32: TensorScalar { public static var elementType: ElementType { .uint32 } }
extension UInt64: TensorScalar { public static var elementType: ElementType { .uint64 } }

extension Tensor {
  /// A tensor of the given elements in row-major order.
  ///
  /// The number of elements must be the product of `shape`.
  public init<Scalar: TensorScalar>(_ elements: [Scalar], shape: [Int]) {
    precondition(
      elements.count == shape.reduce(1, *), "\(elements.count) elements do not fill \(shape)")
    let bytes = unsafe elements.withUnsafeBytes { unsafe [UInt8]($0) }
    self.init(uncheckedElementType: Scalar.elementType, shape: shape, bytes: bytes)
  }

  /// A tensor without dimensions that holds one element.
  public init<Scalar: TensorScalar>(scalar: Scalar) { self.init([scalar], shape: []) }

  /// The elements in row-major order.
  ///
  /// `Scalar` must be the type that stores `elementType`: no value is converted.
  public func elements<Scalar: TensorScalar>(as type: Scalar.Type = Scalar.self) -> [Scalar] {
    precondition(Scalar.elementType == elementType, "\(elementType) is not stored as \(type)")
    let count = count
    return unsafe [Scalar](unsafeUninitializedCapacity: count) { buffer, initialized in
      unsafe bytes.withUnsafeBytes {
        unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0)
      }
      initialized = count
    }
  }

  /// The elements as `Float`, converted where they are of another type.
  public func floats() -> [Float] {
    switch elementType {
    case .float32: return elements(as: Float.self)
    case .bfloat16: return words16().map { Half.float(bfloat16: $0) }
    case .float16: return words16().map { Half.float(float16: $0) }
    case .float64: return elements(as: Double.self).map { Float($0) }
    default: return integers().map { Float($0) }
    }
  }

  /// The elements as `Double`: exact for every type but 64-bit integers beyond 2⁵³.
  public func reals() -> [Double] {
    switch elementType {
    case .float64: elements(as: Double.self)
    case .float32: elements(as: Float.self).map { Double($0) }
    case .bfloat16, .float16: floats().map { Double($0) }
    case .uint64: elements(as: UInt64.self).map { Double($0) }
    default: integers().map { Double($0) }
    }
  }

  /// The elements as `Int64`: `bool` as 0 and 1, `uint64` by its bit pattern.
  ///
  /// Floating-point elements are truncated toward zero and clamped to the range; NaN becomes 0.
  public func integers() -> [Int64] {
    switch elementType {
    case .int64: elements(as: Int64.self)
    case .int32: elements(as: Int32.self).map { Int64($0) }
    case .int16: elements(as: Int16.self).map { Int64($0) }
    case .int8: bytes.map { Int64(Int8(bitPattern: $0)) }
    case .uint8: bytes.map { Int64($0) }
    case .bool: bytes.map { $0 == 0 ? 0 : 1 }
    case .uint16: elements(as: UInt16.self).map { Int64($0) }
    case .uint32: elements(as: UInt32.self).map { Int64($0) }
    case .uint64: elements(as: UInt64.self).map { Int64(bitPattern: $0) }
    case .int4, .uint4, .int2, .uint2: PackedBits.unpacked(bytes, count: count, as: elementType)
    case .float32, .float64, .float16, .bfloat16: reals().map { Int64(clampingReal: $0) }
    }
  }

  /// A tensor of the given element type whose elements are nearest to `reals`.
  ///
  /// Integer types truncate toward zero and wrap, as ONNX `Cast` does where it is defined;
  /// `bool` is true for what is not zero.
  public init(reals: [Double], shape: [Int], elementType: ElementType) {
    switch elementType {
    case .float64: self.init(reals, shape: shape)
    case .float32: self.init(reals.map { Float($0) }, shape: shape)
    case .float16:
      self.init(uncheckedWords16: reals.map { Half.float16(Float($0)) }, shape, elementType)
    case .bfloat16:
      self.init(uncheckedWords16: reals.map { Half.bfloat16(Float($0)) }, shape, elementType)
    case .bool:
      self.init(
        uncheckedElementType: .bool, shape: shape, bytes: reals.map { $0 == 0 ? 0 : 1 })
    default:
      self.init(
        integers: reals.map { Int64(clampingReal: $0) }, shape: shape, elementType: elementType)
    }
  }

  /// A tensor of the given element type whose elements are `integers`, wrapped to its width.
  ///
  /// `bool` is true for what is not zero; floating-point types take the nearest value.
  public init(integers: [Int64], shape: [Int], elementType: ElementType) {
    switch elementType {
    case .int64: self.init(integers, shape: shape)
    case .int32: self.init(integers.map { Int32(truncatingIfNeeded: $0) }, shape: shape)
    case .int16: self.init(integers.map { Int16(truncatingIfNeeded: $0) }, shape: shape)
    case .int8: self.init(integers.map { Int8(truncatingIfNeeded: $0) }, shape: shape)
    case .uint8: self.init(integers.map { UInt8(truncatingIfNeeded: $0) }, shape: shape)
    case .uint16: self.init(integers.map { UInt16(truncatingIfNeeded: $0) }, shape: shape)
    case .uint32: self.init(integers.map { UInt32(truncatingIfNeeded: $0) }, shape: shape)
    case .uint64: self.init(integers.map { UInt64(bitPattern: $0) }, shape: shape)
    case .bool:
      self.init(
        uncheckedElementType: .bool, shape: shape, bytes: integers.map { $0 == 0 ? 0 : 1 })
    case .int4, .uint4, .int2, .uint2:
      self.init(
        uncheckedElementType: elementType, shape: shape,
        bytes: PackedBits.packed(integers, as: elementType))
    case .float32, .float64, .float16, .bfloat16:
      self.init(reals: integers.map { Double($0) }, shape: shape, elementType: elementType)
    }
  }

  /// The same values in another element type, converted as `init(reals:shape:elementType:)`
  /// and `init(integers:shape:elementType:)` do.
  public func converted(to target: ElementType) -> Tensor {
    if target == elementType { return self }
    if elementType.isFloatingPoint {
      return Tensor(reals: reals(), shape: shape, elementType: target)
    }
    return Tensor(integers: integers(), shape: shape, elementType: target)
  }

  private func words16() -> [UInt16] {
    (0..<count).map { UInt16(bytes[2 * $0]) | UInt16(bytes[2 * $0 + 1]) << 8 }
  }

  private init(uncheckedWords16 words: [UInt16], _ shape: [Int], _ elementType: ElementType) {
    let bytes = unsafe words.withUnsafeBytes { unsafe [UInt8]($0) }
    self.init(uncheckedElementType: elementType, shape: shape, bytes: bytes)
  }
}

extension Int64 {
  /// The value truncated toward zero and clamped to the range; NaN becomes 0.
  init(clampingReal value: Double) {
    if value.isNaN {
      self = 0
    } else {
      self = Int64(exactly: value.rounded(.towardZero)) ?? (value > 0 ? .max : .min)
    }
  }
}
