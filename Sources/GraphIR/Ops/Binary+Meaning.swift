// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

extension Binary {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    let left = try operands.required(0, "A").type
    let right = try operands.required(1, "B").type
    for (name, type) in [("A", left), ("B", right)] {
      if let type { try check(type.elementType, name) }
    }
    if function != .power, let left, let right, left.elementType != right.elementType {
      throw .invalidElementType(
        input: "B", found: right.elementType, expected: left.elementType.rawValue)
    }
    let source = function == .power ? left : left ?? right
    guard let elementType = isPredicate ? .bool : source?.elementType else { return [nil] }
    guard let a = left?.dimensions, let b = right?.dimensions else {
      return [TensorType(elementType, nil)]
    }
    guard let dimensions = Broadcasting.dimensions([a, b]) else {
      throw .invalidShape(
        input: "B", found: b.map { $0.value ?? -1 },
        expected: "one that broadcasts with \(a.map(\.description).joined(separator: "×"))")
    }
    if function == .prelu, dimensions.count > a.count {
      throw .invalidRank(input: "slope", found: b.count, expected: "at most \(a.count)")
    }
    return [TensorType(elementType, dimensions)]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    guard let first = operands.optional(0), let second = operands.optional(1),
      let left = first.knownContents, let right = second.knownContents
    else { return nil }
    let count = left.count == 1 ? right.count : left.count
    guard right.count == count || right.count == 1 else { return nil }
    let type = (first.type ?? second.type)?.elementType ?? .int64
    guard let function = extentFunction(isReal: type.isFloatingPoint) else {
      return foldedContents(operands)
    }
    return type.fitting(
      (0..<count).map {
        function(left[left.count == 1 ? 0 : $0], right[right.count == 1 ? 0 : $0])
      })
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)
    let left = try inputs.required(0, "A")
    let right = try inputs.required(1, "B")
    let shape = result[0].shape
    let (a, b) = (try left.broadcast(to: shape), try right.broadcast(to: shape))
    if left.elementType.isFloatingPoint || right.elementType.isFloatingPoint {
      let values = zip(a.reals(), b.reals()).map(realFunction())
      return [Tensor(reals: values, shape: shape, elementType: result[0].elementType)]
    }
    if divides, b.integers().contains(0) {
      throw .invalidValue(
        input: "B", found: "0", expected: "no zero, by which integers are divided")
    }
    let values =
      left.elementType == .uint64
      ? zip(a.integers(), b.integers()).map {
        Int64(bitPattern: naturalFunction(UInt64(bitPattern: $0), UInt64(bitPattern: $1)))
      }
      : zip(a.integers(), b.integers()).map(integerFunction(width: left.elementType.bitWidth))
    return [Tensor(integers: values, shape: shape, elementType: result[0].elementType)]
  }

  private var isPredicate: Bool {
    switch function {
    case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual, .and, .or, .xor: true
    default: false
    }
  }

  private var divides: Bool {
    switch function {
    case .divide, .modulo: true
    default: false
    }
  }

  private func check(_ type: ElementType, _ name: String) throws(OpError) {
    let (isValid, expected) =
      switch function {
      case .equal: (true, "")
      case .and, .or, .xor: (type == .bool, "bool")
      case .bitwiseAnd, .bitwiseOr, .bitwiseXor: (type.isInteger, "an integer type")
      case .shiftLeft, .shiftRight: (type.isInteger, "an integer type")
      default: (type != .bool, "a numeric type")
      }
    if !isValid { throw .invalidElementType(input: name, found: type, expected: expected) }
  }

  private func extentFunction(isReal: Bool) -> ((Dimension, Dimension) -> Dimension)? {
    switch function {
    case .add: { $0 + $1 }
    case .subtract: { $0 - $1 }
    case .multiply: { $0 * $1 }
    case .divide:
      { left, right in
        let quotient = left / right
        return isReal && quotient * right != left ? .unknown : quotient
      }
    case .equal:
      { left, right in
        if left == right, left != .unknown { return .fixed(1) }
        switch (left, right) {
        case (.fixed, .fixed): return .fixed(0)
        case (.fixed(let value), _) where value < 0, (_, .fixed(let value)) where value < 0:
          return .fixed(0)
        default: return .unknown
        }
      }
    default: nil
    }
  }

  /// The function on reals.
  ///
  /// Source: the operators' definitions in ONNX.
  package func realFunction() -> (Double, Double) -> Double {
    switch function {
    case .add: { $0 + $1 }
    case .subtract: { $0 - $1 }
    case .multiply: { $0 * $1 }
    case .divide: { $0 / $1 }
    case .power: { Foundation.pow($0, $1) }
    case .prelu: { $0 < 0 ? $0 * $1 : $0 }
    case .modulo(isFmod: true): { $0.truncatingRemainder(dividingBy: $1) }
    case .modulo(isFmod: false):
      { left, right in
        let remainder = left.truncatingRemainder(dividingBy: right)
        if remainder == 0 { return Double(signOf: right, magnitudeOf: 0) }
        return (remainder < 0) != (right < 0) ? remainder + right : remainder
      }
    case .equal: { $0 == $1 ? 1 : 0 }
    case .less: { $0 < $1 ? 1 : 0 }
    case .lessOrEqual: { $0 <= $1 ? 1 : 0 }
    case .greater: { $0 > $1 ? 1 : 0 }
    case .greaterOrEqual: { $0 >= $1 ? 1 : 0 }
    default: { _, _ in .nan }
    }
  }

  /// The function on all integer types but `uint64`.
  ///
  /// `bool` is 0 and 1, and results wrap. Shifts by a negative number, or by the width or more, leave nothing but the sign.
  private func integerFunction(width: Int) -> (Int64, Int64) -> Int64 {
    switch function {
    case .add: { $0 &+ $1 }
    case .subtract: { $0 &- $1 }
    case .multiply: { $0 &* $1 }
    case .divide: { $0.dividedReportingOverflow(by: $1).partialValue }
    case .modulo(isFmod: true): { $0.remainderReportingOverflow(dividingBy: $1).partialValue }
    case .modulo(isFmod: false):
      { left, right in
        let remainder = left.remainderReportingOverflow(dividingBy: right).partialValue
        return remainder != 0 && (remainder < 0) != (right < 0) ? remainder + right : remainder
      }
    case .power: { Binary.power($0, $1) }
    case .prelu: { $0 < 0 ? $0 &* $1 : $0 }
    case .equal: { $0 == $1 ? 1 : 0 }
    case .less: { $0 < $1 ? 1 : 0 }
    case .lessOrEqual: { $0 <= $1 ? 1 : 0 }
    case .greater: { $0 > $1 ? 1 : 0 }
    case .greaterOrEqual: { $0 >= $1 ? 1 : 0 }
    case .and, .bitwiseAnd: { $0 & $1 }
    case .or, .bitwiseOr: { $0 | $1 }
    case .xor, .bitwiseXor: { $0 ^ $1 }
    case .shiftLeft: { $1 >= 0 && $1 < width ? $0 << $1 : 0 }
    case .shiftRight: { $1 >= 0 && $1 < width ? $0 >> $1 : $0 >> 63 }
    }
  }

  /// The function on `uint64`; results wrap.
  private func naturalFunction(_ left: UInt64, _ right: UInt64) -> UInt64 {
    switch function {
    case .divide: left / right
    case .modulo: left % right
    case .prelu: left
    case .less: left < right ? 1 : 0
    case .lessOrEqual: left <= right ? 1 : 0
    case .greater: left > right ? 1 : 0
    case .greaterOrEqual: left >= right ? 1 : 0
    case .shiftLeft: left << right
    case .shiftRight: left >> right
    case .power: UInt64(bitPattern: Binary.power(Int64(bitPattern: left), magnitude: right))
    default:
      UInt64(
        bitPattern: integerFunction(width: 64)(
          Int64(bitPattern: left), Int64(bitPattern: right)))
    }
  }

  private static func power(_ base: Int64, _ exponent: Int64) -> Int64 {
    if exponent >= 0 { return power(base, magnitude: exponent.magnitude) }
    switch base {
    case 1: return 1
    case -1: return exponent % 2 == 0 ? 1 : -1
    default: return 0
    }
  }

  private static func power(_ base: Int64, magnitude exponent: UInt64) -> Int64 {
    var (result, factor, rest) = (Int64(1), base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result = result &* factor }
      factor = factor &* factor
      rest >>= 1
    }
    return result
  }
}
