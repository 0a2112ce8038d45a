// SPDX-License-Identifier: Apache-2.0
public import GraphIR

/// What can be wrong with a wish for a network of the zoo, or with weights for one.
public enum ZooError: Error, Equatable, Sendable, CustomStringConvertible {
  case unknownArchitecture(name: String, near: [String])
  case invalidOption(architecture: String, option: String, found: String, accepted: String)
  case unsuitableInput(architecture: String, input: InputShape, node: String, reason: OpError)

  case unsuitableWeights(
    source: String, missing: [String], superfluous: [String], misshapen: [Misfit])

  /// A tensor that is not what the network has under its name.
  public struct Misfit: Sendable, Equatable {
    public var name: String
    public var found: String
    public var expected: String
  }

  public var description: String {
    switch self {
    case .unknownArchitecture(let name, let near):
      "no architecture is named \"\(name)\" "
        + (near.isEmpty
          ? "(`swiftlet zoo` lists all)" : "(near: \(near.joined(separator: ", ")))")
    case .invalidOption(let architecture, let option, let found, let accepted):
      "\(architecture): \(option) \(found) (expected \(accepted))"
    case .unsuitableInput(let architecture, let input, let node, let reason):
      "\(architecture): pictures of \(input) do not fit: node \"\(node)\": \(reason)"
    case .unsuitableWeights(let source, let missing, let superfluous, let misshapen):
      [
        "\(source): the tensors are not those of the network",
        Self.line("missing: ", missing), Self.line("unknown to the network: ", superfluous),
        Self.line("", misshapen.map { "\($0.name) is \($0.found) (expected \($0.expected))" }),
      ].compactMap { $0 }.joined(separator: "\n")
    }
  }

  /// The first five of the words and how many more there are; `nil` if there are none.
  private static func line(_ beginning: String, _ words: [String]) -> String? {
    guard !words.isEmpty else { return nil }
    let more = words.count > 5 ? " and \(words.count - 5) more" : ""
    return beginning + words.prefix(5).joined(separator: ", ") + more
  }
}
