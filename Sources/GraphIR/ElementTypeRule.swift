// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// A set of element types that an operator takes, with the words for it.
struct ElementTypeRule {
  let name: String
  let types: Set<ElementType>

  static let floating = ElementTypeRule(
    name: "a floating-point type", types: Set(ElementType.allCases.filter(\.isFloatingPoint)))

  /// Floating-point types and the integers of 32 and 64 bits.
  static let arithmetic = ElementTypeRule(
    name: "a floating-point type or an integer type of 32 or 64 bits",
    types: floating.types.union([.int32, .int64, .uint32, .uint64]))

  static let bytes = ElementTypeRule(name: "int8 or uint8", types: [.int8, .uint8])

  static func only(_ type: ElementType) -> ElementTypeRule {
    ElementTypeRule(name: type.rawValue, types: [type])
  }

  /// - Throws: `OpError.invalidElementType` if the type is known and not in the set.
  func check(_ type: TensorType?, _ input: String) throws(OpError) {
    guard let found = type?.elementType, !types.contains(found) else { return }
    throw .invalidElementType(input: input, found: found, expected: name)
  }

  /// The one type that all operands have; `nil` if none is known.
  ///
  /// - Throws: `OpError.invalidElementType` if one is not in the set or they differ.
  func common(_ operands: [(name: String, type: TensorType?)]) throws(OpError) -> ElementType? {
    var common: (name: String, type: ElementType)?
    for (name, type) in operands {
      try check(type, name)
      guard let found = type?.elementType else { continue }
      if let common, common.type != found {
        throw .invalidElementType(
          input: name, found: found, expected: "\(common.type.rawValue), as \(common.name)")
      }
      common = common ?? (name, found)
    }
    return common?.type
  }
}
