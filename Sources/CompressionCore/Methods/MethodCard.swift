// SPDX-License-Identifier: Apache-2.0

/// What a person must know of a method to choose it; command line, recipes, lists and pages follow
/// from it.
public struct MethodCard: Codable, Sendable, Equatable {
  /// On the command line and in recipes, such as `lsq`.
  public var name: String

  /// One sentence.
  public var summary: String

  /// Authors, title and year.
  public var paper: String

  /// What becomes smaller.
  public var shrinks: String

  /// What becomes faster, and where.
  public var speedsUp: String

  public var options: [MethodOption]

  public init(
    name: String, summary: String, paper: String, shrinks: String, speedsUp: String,
    options: [MethodOption] = []
  ) {
    self.name = name
    self.summary = summary
    self.paper = paper
    self.shrinks = shrinks
    self.speedsUp = speedsUp
    self.options = options
  }
}

/// A number, word or switch that a method takes.
public struct MethodOption: Codable, Sendable, Equatable {
  public var name: String

  /// The value without one given, as it would be written.
  public var standard: String

  /// What values there are, in words.
  public var accepted: String

  /// What it does, in a few words.
  public var summary: String

  public init(_ name: String, standard: String, accepted: String, summary: String) {
    self.name = name
    self.standard = standard
    self.accepted = accepted
    self.summary = summary
  }
}
