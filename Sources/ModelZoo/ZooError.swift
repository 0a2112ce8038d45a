// SPDX-License-Identifier: Apache-2.0
public import GraphIR

/// What can be wrong with a wish for a network of the zoo, or with weights for one.
public enum ZooError: Error, Equatable, Sendable, CustomStringConvertible {
  case unknownArchitecture(name: String, near: [String])
  case invalidOption(architecture: String, option: String, found: String, accepted: String)
  case unsuitableInput(architecture: String, input: InputShape, node: String, reason: OpError)

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
    }
  }
}
