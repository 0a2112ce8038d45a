// SPDX-License-Identifier: Apache-2.0

/// Reads the fields of one mapping in a recipe: unknown ones and wrong values are errors that name
/// the field and what it takes.
struct RecipeReader {
  private let container: KeyedDecodingContainer<Key>
  private let path: [String]

  struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
  }

  /// - Throws: `TrainingError.invalidField` if there is no mapping here.
  init(_ decoder: any Decoder, name: String) throws {
    path = decoder.codingPath.map(\.stringValue)
    do {
      container = try decoder.container(keyedBy: Key.self)
    } catch {
      throw TrainingError.invalidField(
        field: path.last ?? name, found: "no mapping", accepted: "fields and their values")
    }
  }

  /// - Throws: `TrainingError.unknownField` for the first field that is none of those.
  func check(fields: [String]) throws {
    for key in container.allKeys.map(\.stringValue).sorted() where !fields.contains(key) {
      throw TrainingError.unknownField(field: fieldName(key), accepted: fields)
    }
  }

  /// Replaces a value by that of the field, where it is given.
  func read<Value: Decodable>(
    _ field: String, into value: inout Value, accepted: String
  ) throws {
    let key = Key(stringValue: field)
    do {
      if let given = try container.decodeIfPresent(Value.self, forKey: key) { value = given }
    } catch let error as TrainingError {
      throw error
    } catch {
      if let inner = TrainingError(in: error) { throw inner }
      throw TrainingError.invalidField(
        field: fieldName(field), found: found(key, error), accepted: accepted)
    }
  }

  /// Replaces a choice by that which the field names, where it is given.
  func readChoice<Value: RawRepresentable & CaseIterable>(
    _ field: String, into value: inout Value
  ) throws where Value.RawValue == String {
    var name = value.rawValue
    let accepted = Value.allCases.map(\.rawValue).joined(separator: ", ")
    try read(field, into: &name, accepted: accepted)
    guard let choice = Value(rawValue: name) else {
      throw TrainingError.invalidField(
        field: fieldName(field), found: "\"\(name)\"", accepted: accepted)
    }
    value = choice
  }

  private func fieldName(_ field: String) -> String { (path + [field]).joined(separator: ".") }

  private func found(_ key: Key, _ error: any Error) -> String {
    if let text = try? container.decode(String.self, forKey: key) { return "\"\(text)\"" }
    if let number = try? container.decode(Double.self, forKey: key) { return "\(number)" }
    if let flag = try? container.decode(Bool.self, forKey: key) { return "\(flag)" }
    if case DecodingError.dataCorrupted(let context) = error { return context.debugDescription }
    return "a value of another kind"
  }
}

extension TrainingError {
  /// The error of a recipe that a decoder has wrapped in its own, if it has.
  public init?(in error: any Error) {
    if let own = error as? TrainingError {
      self = own
      return
    }
    guard let wrapper = error as? DecodingError else { return nil }
    let context: DecodingError.Context
    switch wrapper {
    case .dataCorrupted(let inner), .keyNotFound(_, let inner), .typeMismatch(_, let inner),
      .valueNotFound(_, let inner):
      context = inner
    @unknown default: return nil
    }
    guard let underlying = context.underlyingError else { return nil }
    self.init(in: underlying)
  }
}

/// A check of a recipe's value.
struct RecipeRule {
  var field: String
  var found: String
  var accepted: String
  var holds: Bool

  init(_ field: String, _ value: some Any, _ accepted: String, _ holds: Bool) {
    self.field = field
    found = "\(value)"
    self.accepted = accepted
    self.holds = holds
  }

  /// - Throws: `TrainingError.invalidField` for the first rule that does not hold.
  static func check(_ rules: [RecipeRule], under path: String? = nil) throws(TrainingError) {
    for rule in rules where !rule.holds {
      let name = path.map { "\($0).\(rule.field)" } ?? rule.field
      throw .invalidField(field: name, found: rule.found, accepted: rule.accepted)
    }
  }
}
