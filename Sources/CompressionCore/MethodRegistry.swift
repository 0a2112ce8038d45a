// SPDX-License-Identifier: Apache-2.0

/// The methods of one family, by name; command line, recipes and lists follow from it.
public struct MethodRegistry<Method: Sendable>: Sendable {
  /// What the methods are, such as "range estimator".
  public let family: String

  /// In the order in which lists show them.
  public let methods: [Method]

  private let nameOf: @Sendable (Method) -> String

  public init(family: String, _ methods: [Method], name: @escaping @Sendable (Method) -> String) {
    self.family = family
    self.methods = methods
    nameOf = name
  }

  public var names: [String] { methods.map(nameOf) }

  /// The method with a name, if there is one.
  public func method(named name: String) -> Method? { methods.first { nameOf($0) == name } }
}
