// SPDX-License-Identifier: Apache-2.0

/// A layer as selectors see it.
public struct LayerPosition: Sendable, Equatable {
  /// The node's name.
  public var name: String

  /// The operator, such as `Conv`.
  public var kind: String

  /// Place among the layers of the network, from 0.
  public var index: Int

  /// Number of layers of the network.
  public var count: Int

  public init(name: String, kind: String, index: Int, count: Int) {
    self.name = name
    self.kind = kind
    self.index = index
    self.count = count
  }
}

/// Chooses layers of a network.
///
/// Written as `all`, `first`, `last`, `op:Conv`, `/regular expression/` (a match anywhere in the
/// name), or the layer's name.
public enum LayerSelector: Sendable, Hashable {
  case all, first, last
  case kind(String)
  case pattern(String)
  case name(String)

  /// - Throws: `CompressionError.invalidPattern`.
  public init(_ text: String) throws(CompressionError) {
    switch text {
    case "all": self = .all
    case "first": self = .first
    case "last": self = .last
    default:
      if text.hasPrefix("op:") {
        self = .kind(String(text.dropFirst(3)))
      } else if text.count > 2, text.hasPrefix("/"), text.hasSuffix("/"),
        (try? Regex(String(text.dropFirst().dropLast()))) != nil
      {
        self = .pattern(String(text.dropFirst().dropLast()))
      } else if text.count > 2, text.hasPrefix("/"), text.hasSuffix("/") {
        throw .invalidPattern(String(text.dropFirst().dropLast()), reason: "it cannot be read")
      } else {
        self = .name(text)
      }
    }
  }

  public func selects(_ layer: LayerPosition) -> Bool {
    switch self {
    case .all: true
    case .first: layer.index == 0
    case .last: layer.index == layer.count - 1
    case .kind(let kind): layer.kind == kind
    case .name(let name): layer.name == name
    case .pattern(let pattern):
      (try? Regex(pattern)).map { layer.name.contains($0) } ?? false
    }
  }

  /// - Throws: `CompressionError.selectsNothing` if none of the layers is chosen.
  public func check(against layers: [LayerPosition]) throws(CompressionError) {
    if layers.contains(where: selects) { return }
    throw .selectsNothing(description, examples: layers.prefix(3).map(\.name))
  }
}

extension LayerSelector: CustomStringConvertible {
  public var description: String {
    switch self {
    case .all: "all"
    case .first: "first"
    case .last: "last"
    case .kind(let kind): "op:\(kind)"
    case .pattern(let pattern): "/\(pattern)/"
    case .name(let name): name
    }
  }
}

extension LayerSelector: Codable {
  public init(from decoder: any Decoder) throws {
    try self.init(try decoder.singleValueContainer().decode(String.self))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
