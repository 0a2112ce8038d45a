// SPDX-License-Identifier: Apache-2.0
import CPURuntime
public import GraphIR
import GraphPasses
import OnnxIO
import Quantization

/// What can be done with a network: whether it runs, on what, and how much of it can be quantized.
public struct NetworkCheck: Sendable {
  /// How the nodes of one operator fare.
  public struct OperatorCoverage: Sendable, Equatable {
    public var kind: String
    public var domain: String
    public var nodeCount = 0
    /// Multiply-accumulate operations of its nodes in one run.
    public var macs = 0
    /// Nodes with steps on fast kernels.
    public var fastCount = 0
    /// Nodes that run on the reference meaning of the operator.
    public var referenceCount = 0
    /// Nodes that cannot be run.
    public var unsupportedCount = 0
    /// Nodes whose products can be computed on integers.
    public var quantizableCount = 0

    /// Nodes without steps of their own: folded into constants or done by another node's step.
    public var mergedCount: Int { nodeCount - fastCount - referenceCount - unsupportedCount }
  }

  public let summary: NetworkSummary

  /// Operators by name.
  public private(set) var operators: [OperatorCoverage] = []

  /// Why the network cannot be run, one sentence each; empty if it can.
  public private(set) var runProblems: [String] = []

  /// Whether shapes depend on data, so that everything runs on the reference operators.
  public private(set) var isInterpreted = false

  /// Why the network cannot be quantized; `nil` if it can.
  public private(set) var quantizationProblem: String?

  /// Groups of nodes that run as one operator.
  public private(set) var patterns = NetworkPatterns(in: Graph())

  /// Fraction of the multiply-accumulates whose products can be computed on integers.
  public private(set) var quantizableShare = 0.0

  /// The least operator set in which the network can be written; `nil` if it cannot.
  public private(set) var requiredOpset: Int?

  public var isRunnable: Bool { runProblems.isEmpty }

  /// Checks a network as it was read.
  ///
  /// - Throws: `GraphError` if its shapes contradict each other.
  public init(of graph: Graph, threads: Int? = nil) throws(GraphError) {
    let graph = graph.withNamedNodes()
    summary = try NetworkSummary(of: graph)
    var rows: [String: OperatorCoverage] = [:]
    var kinds: [String: String] = [:]
    for (node, layer) in zip(graph.nodes, summary.layers) {
      let key = node.op.domain + "::" + node.op.kind
      kinds[node.name] = key
      rows[key, default: OperatorCoverage(kind: node.op.kind, domain: node.op.domain)]
        .nodeCount += 1
      rows[key]?.macs += layer.macs
      guard let opaque = node.op as? Opaque else { continue }
      rows[key]?.unsupportedCount += 1
      let reason = opaque.reason.isEmpty ? "it is not known" : opaque.reason
      runProblems.append(
        "node \"\(node.name)\": operator \(opaque.kind) is unsupported: \(reason)")
    }
    let portable: Graph
    do { portable = try graph.portable() } catch {
      runProblems.append("\(error)")
      operators = rows.values.sorted { $0.kind < $1.kind }
      return
    }
    requiredOpset = try? OnnxModel.requiredOpset(portable)
    // A node that is a function of others has steps named after it, with a part behind a slash.
    var owners: [String: String] = [:]
    for (name, implementation) in implementations(of: portable, threads: threads) {
      let parent = name.lastIndex(of: "/").map { String(name[..<$0]) } ?? name
      let owner = kinds[name] == nil ? parent : name
      if owners[owner] != "reference" { owners[owner] = implementation }
    }
    for (name, implementation) in owners {
      guard let key = kinds[name] else { continue }
      if implementation == "reference" {
        rows[key]?.referenceCount += 1
      } else {
        rows[key]?.fastCount += 1
      }
    }
    checkQuantization(of: portable) { name in
      if let key = kinds[name] { rows[key]?.quantizableCount += 1 }
    }
    operators = rows.values.sorted { ($0.kind, $0.domain) < ($1.kind, $1.domain) }
  }

  /// The kernel of each node that has a step of its own, by the node's name.
  private mutating func implementations(of portable: Graph, threads: Int?) -> [String: String] {
    guard isRunnable else { return [:] }
    do {
      let options = CompileOptions(threads: threads, precision: portable.naturalPrecision)
      var found: [String: String] = [:]
      let lowered = try portable.lowered()
      patterns = NetworkPatterns(in: lowered)
      for step in try CompiledModel(lowered, options: options).steps {
        for name in step.nodes where found[name] != "reference" {
          found[name] = step.implementation
        }
      }
      return found
    } catch CompileError.unknownShape {
      isInterpreted = true
      return [:]
    } catch {
      runProblems.append("\(error)")
      return [:]
    }
  }

  private mutating func checkQuantization(of portable: Graph, found: (String) -> Void) {
    do {
      var typed = portable
      typed.inferTypes()
      let plan = try QuantizationPlan(for: typed, options: QuantizationOptions())
      let names = Set(plan.sites.map(\.label))
      names.forEach(found)
      let work = try NetworkSummary(of: portable)
      let quantized = work.layers.filter { names.contains($0.name) }.reduce(0) { $0 + $1.macs }
      quantizableShare = work.macs > 0 ? Double(quantized) / Double(work.macs) : 0
    } catch {
      quantizationProblem = "\(error)"
    }
  }
}

extension Graph {
  /// The graph with a name for every node, so that steps can be traced back to nodes.
  fileprivate func withNamedNodes() -> Graph {
    var seen: Set<String> = []
    var result = self
    result.setNodes(
      nodes.map { node in
        var node = node
        let base = label(of: node)
        node.name = base
        var number = 1
        while !seen.insert(node.name).inserted {
          node.name = "\(base)_\(number)"
          number += 1
        }
        return node
      })
    return result
  }
}
