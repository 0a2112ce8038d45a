// SPDX-License-Identifier: Apache-2.0

/// The options that a method is made from: those that were given, checked against its card.
public struct MethodOptions: Sendable, Equatable {
  private let card: MethodCard
  private let values: [String: String]

  /// - Throws: `CompressionError.unknownOption` for the first name that is not on the card.
  public init(_ values: [String: String], for card: MethodCard) throws(CompressionError) {
    let known = card.options.map(\.name)
    for name in values.keys.sorted() where !known.contains(name) {
      throw .unknownOption(name, method: card.name, accepted: known)
    }
    self.card = card
    self.values = values
  }

  /// The text of an option, the card's default where none is given.
  ///
  /// The card must have the option.
  public func text(_ name: String) -> String {
    guard let option = card.options.first(where: { $0.name == name }) else {
      preconditionFailure("\(card.name) reads option \(name), which is not on its card")
    }
    return values[name] ?? option.standard
  }

  /// - Throws: `CompressionError.invalidOption` if it is no number or outside the range.
  public func number(
    _ name: String,
    in range: ClosedRange<Double> = -.greatestFiniteMagnitude
      ... .greatestFiniteMagnitude
  ) throws(CompressionError) -> Double {
    guard let number = Double(text(name)), range.contains(number) else { throw invalid(name) }
    return number
  }

  /// - Throws: `CompressionError.invalidOption` if it is no whole number or outside the range.
  public func integer(
    _ name: String, in range: ClosedRange<Int>
  ) throws(CompressionError) -> Int {
    guard let number = Int(text(name)), range.contains(number) else { throw invalid(name) }
    return number
  }

  /// - Throws: `CompressionError.invalidOption` if it is neither `true` nor `false`.
  public func flag(_ name: String) throws(CompressionError) -> Bool {
    guard let flag = Bool(text(name)) else { throw invalid(name) }
    return flag
  }

  /// - Throws: `CompressionError.invalidOption` if it is none of the words.
  public func choice<Value: RawRepresentable<String>>(
    _ name: String, as type: Value.Type = Value.self
  ) throws(CompressionError) -> Value {
    guard let value = Value(rawValue: text(name)) else { throw invalid(name) }
    return value
  }

  /// The error that says what an option takes.
  public func invalid(_ name: String) -> CompressionError {
    let accepted = card.options.first { $0.name == name }?.accepted ?? ""
    return .invalidOption(name, method: card.name, found: text(name), accepted: accepted)
  }
}
