// SPDX-License-Identifier: Apache-2.0

/// A method by name with the options that differ from its defaults.
///
/// On the command line `kd:T=4,alpha=0.9`; in a recipe the same text, or a mapping such as
/// `{kind: kd, T: 4, alpha: 0.9}`.
public struct MethodChoice: Sendable, Equatable {
  public var name: String

  /// Values as they are written, by the option's name.
  public var values: [String: String]

  public init(_ name: String, _ values: [String: String] = [:]) {
    self.name = name
    self.values = values
  }

  /// Reads `name` or `name:option=value,option=value`.
  ///
  /// - Throws: `CompressionError.malformedChoice`.
  public init(parsing text: String) throws(CompressionError) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let name = parts.first, !name.isEmpty else { throw .malformedChoice(text) }
    self.init(String(name))
    guard parts.count == 2 else { return }
    for item in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
      let pair = item.split(separator: "=", maxSplits: 1).map(String.init)
      guard pair.count == 2, values[pair[0]] == nil else { throw .malformedChoice(text) }
      values[pair[0]] = pair[1]
    }
  }
}

extension MethodChoice: CustomStringConvertible {
  /// As on the command line, options in alphabetical order.
  public var description: String {
    if values.isEmpty { return name }
    return name + ":"
      + values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
  }
}

extension MethodChoice: Codable {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
  }

  public init(from decoder: any Decoder) throws {
    if let text = try? decoder.singleValueContainer().decode(String.self) {
      try self.init(parsing: text)
      return
    }
    let place = decoder.codingPath.map(\.stringValue).joined(separator: ".")
    guard let container = try? decoder.container(keyedBy: Key.self),
      let name = try? container.decode(String.self, forKey: Key(stringValue: "kind"))
    else { throw CompressionError.malformedChoice(place.isEmpty ? "a method" : place) }
    self.init(name)
    for key in container.allKeys where key.stringValue != "kind" {
      if let text = try? container.decode(String.self, forKey: key) {
        values[key.stringValue] = text
      } else if let flag = try? container.decode(Bool.self, forKey: key) {
        values[key.stringValue] = "\(flag)"
      } else if let number = try? container.decode(Double.self, forKey: key) {
        values[key.stringValue] = number.rounded() == number ? "\(Int(number))" : "\(number)"
      } else {
        throw CompressionError.malformedChoice("\(name).\(key.stringValue)")
      }
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
