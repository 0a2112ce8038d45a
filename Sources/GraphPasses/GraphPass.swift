// SPDX-License-Identifier: Apache-2.0
public import GraphIR

/// A rewriting rule: looks at one node at a time and may answer with a patch.
///
/// Implementers write one file with guards first and construction after, and a line in the pass
/// list that gives the reason for the place. A patch removes, or takes as an input of a new node,
/// every value whose producer or uses the rule relied on: patches that share no value are applied
/// together. A pass must not undo its own work: the pipeline asks again until no node answers.
public protocol GraphPass: Sendable {
  /// A short name in lower case with hyphens, such as `fold-batch-norm`.
  var name: String { get }

  /// A patch that starts at `node`, or `nil` where the rule does not apply.
  func patch(at node: Node, in index: GraphIndex) -> GraphPatch?
}

/// What a pass did.
public struct PassReport: Sendable, Equatable {
  public let pass: String
  public let patches: Int

  public init(pass: String, patches: Int) {
    self.pass = pass
    self.patches = patches
  }
}

/// How a pipeline can fail.
public enum PassError: Error, Equatable, Sendable, CustomStringConvertible {
  case invalidNode(InferenceIssue)
  case brokenGraph(pass: String, error: GraphError)
  case doesNotEnd(pass: String, patches: Int)

  public var description: String {
    switch self {
    case .invalidNode(let issue): "\(issue)"
    case .brokenGraph(let pass, let error): "pass \(pass) breaks the graph: \(error)"
    case .doesNotEnd(let pass, let patches): "pass \(pass) still changes after \(patches) patches"
    }
  }
}
