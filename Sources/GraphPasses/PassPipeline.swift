// SPDX-License-Identifier: Apache-2.0
public import GraphIR

/// Runs passes in order, each until it finds nothing more, and verifies the graph after each.
public struct PassPipeline: Sendable {
  /// A pass and why it stands where it stands.
  public struct Step: Sendable {
    public let pass: any GraphPass
    public let reason: String

    public init(_ pass: any GraphPass, _ reason: String) {
      self.pass = pass
      self.reason = reason
    }
  }

  public let steps: [Step]

  /// Bytes of constants that passes may add beyond four times those of the graph.
  private static let freeConstants = 1 << 30

  public init(_ steps: [Step]) { self.steps = steps }

  public init(_ passes: any GraphPass...) { steps = passes.map { Step($0, "") } }

  /// The rewritten graph and what each pass did.
  ///
  /// A pass is asked at every node in order; the patches that touch different values are applied
  /// together, then it is asked again. Constants that nothing uses any more are forgotten. Passes
  /// add no more constants than a few times those that there are, however a graph is made.
  ///
  /// - Parameters:
  ///   - graph: The graph to rewrite; its types are inferred anew.
  ///   - limit: Stops after this many patches in all, to find the patch that broke something.
  /// - Throws: `PassError` if a node lacks inputs, or a pass breaks the graph or does not come to an
  ///   end.
  public func run(
    _ graph: Graph, stoppingAfter limit: Int = .max
  ) throws(PassError) -> (graph: Graph, reports: [PassReport]) {
    var graph = graph
    var remaining = limit
    var reports: [PassReport] = []
    let greatest = 5 * graph.constantByteCount + Self.freeConstants
    var contents = try Self.contents(of: &graph)
    for pass in steps.map(\.pass) {
      let bound = 20 * (graph.nodes.count + 50)
      var patches = 0
      while remaining > 0 {
        let index = GraphIndex(
          graph, contents: contents, constantAllowance: greatest - graph.constantByteCount)
        let batch = sweep(pass, index, limit: remaining)
        if batch.patches.isEmpty { break }
        do { graph = try graph.applying(batch) } catch {
          throw .brokenGraph(pass: pass.name, error: error)
        }
        graph.dropUnusedConstants()
        contents = try Self.contents(of: &graph)
        patches += batch.patches.count
        remaining -= batch.patches.count
        if patches > bound { throw .doesNotEnd(pass: pass.name, patches: patches) }
      }
      if patches > 0 {
        do { try Verifier.verify(graph) } catch {
          throw .brokenGraph(pass: pass.name, error: error)
        }
      }
      reports.append(PassReport(pass: pass.name, patches: patches))
    }
    return (graph, reports)
  }

  /// The types and contents of a graph in which every node has the inputs that its operator reads,
  /// as passes take for granted.
  private static func contents(
    of graph: inout Graph
  ) throws(PassError) -> [ValueID: [Dimension]] {
    let inferred = graph.inferTypesAndContents()
    for issue in inferred.issues {
      switch issue.error {
      case .wrongInputCount, .missingInput: throw .invalidNode(issue)
      default: continue
      }
    }
    return inferred.contents
  }

  private func sweep(_ pass: any GraphPass, _ index: GraphIndex, limit: Int) -> PatchBatch {
    var batch = PatchBatch()
    var index = index
    for node in index.graph.nodes where batch.patches.count < limit && !batch.removes(node.id) {
      if let patch = pass.patch(at: node, in: index) {
        if batch.accept(patch) { index.expect(patch) }
      }
    }
    return batch
  }
}
