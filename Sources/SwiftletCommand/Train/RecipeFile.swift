// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import Foundation
import Quantization
import Reporting
package import Training
import Yams

/// A recipe as YAML: read from a file, changed field by field, decoded, and written again.
package struct RecipeFile {
  /// The file that it was read from.
  package let path: String?
  private var fields: Node

  private static var empty: Node { .mapping(Node.Mapping([])) }

  /// A recipe in which nothing is said.
  package init() {
    path = nil
    fields = Self.empty
  }

  /// Reads the file at `path`.
  ///
  /// - Throws: `CommandError` naming the file if it cannot be read or is no YAML mapping.
  package init(path: String) throws(CommandError) {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    else { throw CommandError("\(path): the recipe cannot be read") }
    guard data.count <= 65_536 else {
      throw CommandError("\(path): \(data.count) bytes are too many for a recipe")
    }
    let text = String(decoding: data, as: UTF8.self)
    let root = try Self.node(text, named: path)
    guard root.mapping != nil || text.allSatisfy(\.isWhitespace) else {
      throw CommandError("\(path): no YAML mapping (expected lines of field: value)")
    }
    self.path = path
    fields = root.mapping == nil ? Self.empty : root
  }

  /// Whether the recipe says something of a field.
  package func says(_ field: String) -> Bool { fields.mapping?[field] != nil }

  /// Sets a field, given by the names on the way to it, to a value in YAML.
  ///
  /// - Throws: `CommandError` naming `option` if the value is no YAML.
  package mutating func set(_ names: [String], to text: String, option: String) throws(CommandError)
  {
    fields = Self.setting(names[...], in: fields, to: try Self.node(text, named: option))
  }

  /// The recipe, checked.
  ///
  /// - Throws: `CommandError` naming the file and the field that is unknown or has a wrong value.
  package func recipe() throws(CommandError) -> TrainingRecipe {
    try decoded(as: TrainingRecipe.self)
  }

  /// A value of another kind that the file holds.
  ///
  /// - Throws: `CommandError` naming the file and the field that is unknown or has a wrong value.
  package func decoded<Value: Decodable>(as type: Value.Type) throws(CommandError) -> Value {
    do {
      return try YAMLDecoder().decode(type, from: fields)
    } catch {
      let words =
        TrainingError(in: error).map { "\($0)" } ?? CompressionError(in: error).map { "\($0)" }
        ?? QuantizationError(in: error).map { "\($0)" } ?? Self.words(error)
      throw CommandError(path.map { "\($0): \(words)" } ?? words, status: .wrongUsage)
    }
  }

  private static func setting(
    _ names: ArraySlice<String>, in node: Node?, to value: Node
  ) -> Node {
    guard let name = names.first else { return value }
    var mapping = node?.mapping ?? Node.Mapping([])
    mapping[Node(name)] = setting(names.dropFirst(), in: mapping[Node(name)], to: value)
    return .mapping(mapping)
  }

  private static func node(_ text: String, named name: String) throws(CommandError) -> Node {
    // Aliases can make a small text expand without bound.
    guard !text.contains("&") else {
      throw CommandError("\(name): YAML anchors are not accepted", status: .wrongUsage)
    }
    do {
      return try compose(yaml: text) ?? Node("")
    } catch {
      throw CommandError(
        "\(name): no YAML", reasons: "\(error)".split(separator: "\n").map(String.init),
        status: .wrongUsage)
    }
  }

  private static func words(_ error: any Error) -> String {
    guard case DecodingError.dataCorrupted(let context)? = error as? DecodingError else {
      return "the recipe cannot be decoded: \(error)"
    }
    let place = context.codingPath.map(\.stringValue).joined(separator: ".")
    return "recipe: " + (place.isEmpty ? "" : "\(place): ") + context.debugDescription
  }
}

extension TrainingRecipe {
  /// Each field and its value as they stand in a recipe file, in the order of the fields.
  package func lines() throws -> [String] {
    guard let mapping = try compose(yaml: YAMLEncoder().encode(self))?.mapping else { return [] }
    return mapping.map { key, value in "\(key.string ?? ""): \(Self.text(value))" }
  }

  private static func text(_ node: Node) -> String {
    if let mapping = node.mapping {
      return "{" + mapping.map { "\($0.string ?? ""): \(text($1))" }.joined(separator: ", ") + "}"
    }
    if let sequence = node.sequence {
      return "[" + sequence.map(text).joined(separator: ", ") + "]"
    }
    let scalar = node.string ?? ""
    guard let number = Double(scalar) else { return scalar }
    if let whole = Int(scalar) { return "\(whole)" }
    let digits = "\(number)"
    return digits.hasSuffix(".0") ? String(digits.dropLast(2)) : digits
  }
}
