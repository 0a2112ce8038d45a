// SPDX-License-Identifier: Apache-2.0
public import GraphIR

/// A rewriting rule: looks at one node at a time and may answer with a patch.
///
/// Implementers write one file with guards first and construction after, and a line in the pass
/// list that gives the reason for the place. A pass must not undo its own work: the pipeline
/// asks again until no node answers.
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
}

/// How a pipeline can fail.
public enum PassError: Error, Equatable, Sendable, CustomStringConvertible {
  case brokenGraph(pass: String, node: String, error: GraphError)
  case doesNotEnd(pass: String, patches: Int)

  public var description: String {
    switch self {
    case .brokenGraph(let pass, let node, let error):
      "pass \(pass) at node \"\(node)\" breaks the graph: \(error)"
    case .doesNotEnd(let pass, let patches): "pass \(pass) still changes after \(patches) patches"
    }
  }
}

/// Runs passes in order, each until it finds nothing more, and verifies the graph after each.
public struct PassPipeline: Sendable {
  public let passes: [any GraphPass]

  public init(_ passes: [any GraphPass]) { self.passes = passes }

  /// The rewritten graph and what each pass did.
  ///
  /// - Parameters:
  ///   - graph: The graph to rewrite; its types are inferred anew.
  ///   - limit: Stops after this many patches in all, to find the patch that broke something.
  /// - Throws: `PassError` if a pass breaks the graph or does not come to an end.
  public func run(
    _ graph: Graph, stoppingAfter limit: Int = .max
  ) throws(PassError) -> (graph: Graph, reports: [PassReport]) {
    var graph = graph
    var remaining = limit
    var reports: [PassReport] = []
    graph.inferTypes()
    for pass in passes {
      var patches = 0
      var changed = true
      while changed && remaining > 0 {
        changed = false
        var position = 0
        var index = GraphIndex(graph)
        while position < graph.nodes.count && remaining > 0 {
          let node = graph.nodes[position]
          guard let patch = pass.patch(at: node, in: index) else {
            position += 1
            continue
          }
          do {
            graph = try graph.applying(patch)
          } catch {
            throw .brokenGraph(pass: pass.name, node: node.name, error: error)
          }
          index = GraphIndex(graph)
          patches += 1
          remaining -= 1
          changed = true
          if patches > 20 * (graph.nodes.count + 50) {
            throw .doesNotEnd(pass: pass.name, patches: patches)
          }
        }
      }
      if patches > 0 {
        graph.inferTypes()
        do { try Verifier.verify(graph) } catch {
          throw .brokenGraph(pass: pass.name, node: "", error: error)
        }
      }
      reports.append(PassReport(pass: pass.name, patches: patches))
    }
    return (graph, reports)
  }
}
