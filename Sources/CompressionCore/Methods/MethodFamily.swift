// SPDX-License-Identifier: Apache-2.0

/// Methods of one kind, each with its card and a way to make it of options.
public struct MethodFamily<Method: Sendable>: Sendable {
  /// One line of the family's registry.
  public struct Entry: Sendable {
    public let card: MethodCard
    let make: @Sendable (MethodOptions) throws(CompressionError) -> Method

    public init(
      _ card: MethodCard,
      make: @escaping @Sendable (MethodOptions) throws(CompressionError) -> Method
    ) {
      self.card = card
      self.make = make
    }
  }

  /// What the methods are, such as "quantizer".
  public let name: String

  /// In the order in which lists show them.
  public let entries: [Entry]

  public init(_ name: String, _ entries: [Entry]) {
    self.name = name
    self.entries = entries
  }

  public var cards: [MethodCard] { entries.map(\.card) }

  /// The method that a choice names, with its options.
  ///
  /// - Throws: `CompressionError` for names and values that are not on the card.
  public func method(for choice: MethodChoice) throws(CompressionError) -> Method {
    guard let entry = entries.first(where: { $0.card.name == choice.name }) else {
      throw .unknownMethod(choice.name, family: name, known: cards.map(\.name))
    }
    return try entry.make(try MethodOptions(choice.values, for: entry.card))
  }
}

/// A family as the list of all methods shows it.
public struct MethodGroup: Sendable {
  /// What the methods are, such as "quantizer".
  public var family: String

  /// Where they are chosen, such as `swiftlet qat --quantizer`.
  public var chosenBy: String
  public var cards: [MethodCard]

  public init(family: String, chosenBy: String, cards: [MethodCard]) {
    self.family = family
    self.chosenBy = chosenBy
    self.cards = cards
  }
}
