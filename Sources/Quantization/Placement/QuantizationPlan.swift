// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Which values of a network become integer codes, and which of them share one.
package struct QuantizationPlan: Sendable {
  /// A product with constant weights.
  package struct WeightedSite: Sendable, Equatable {
    package let node: NodeID
    /// The node's name as reports show it.
    package let label: String
    package let data: ValueID
    package let weight: ValueID
    package let bias: ValueID?
    package let operands: WeightedOperands
    /// What the node computes, activation included.
    package let result: ValueID
    /// What the node computes before its activation.
    package let output: ValueID
  }

  /// Activations that have the same scale and zero point.
  package struct Group: Sendable, Equatable {
    package var values: [ValueID]
    /// The values whose elements the others are copies of.
    package var sources: [ValueID]
  }

  package let sites: [WeightedSite]
  package let groups: [Group]

  /// Labels of nodes that were kept in float on request.
  package let kept: [String]

  /// The values that become codes, in the order of the graph.
  package var values: [ValueID] { groups.flatMap(\.values).sorted() }
}

extension QuantizationPlan {
  /// Chooses the places for quantization.
  ///
  /// - Parameters:
  ///   - graph: A network in the portable form with inferred types.
  ///   - options: `keepFloat` and `sharesConcatScales` matter.
  ///   - kept: Nodes that stay in float beside those of the options.
  /// - Throws: `QuantizationError` if the network is quantized already, a pattern is wrong, or
  ///   there is no product with constant weights.
  ///
  /// Source: the rules that ONNX Runtime's and other stock runtimes' QDQ readers fuse. Data and
  /// weights of products are quantized, results after the activation that follows; additions,
  /// products and averages between quantized values on both sides; what moves elements passes
  /// codes on. What leads to the outputs of the network only stays real.
  package init(
    for graph: Graph, options: QuantizationOptions, keeping kept: Set<NodeID> = []
  ) throws(QuantizationError) {
    let selector = try NodeSelector(options.keepFloat)
    try selector.check(against: graph.nodes.map { graph.label(of: $0) })
    for node in graph.nodes where node.op is QuantizeLinear || node.op is DequantizeLinear {
      throw .alreadyQuantized(node: graph.label(of: node))
    }
    let index = GraphIndex(graph)
    let survey = PlacementSurvey(
      index, isKept: { kept.contains($0.id) || selector.selects(graph.label(of: $0)) })
    sites = survey.sites
    let names = graph.nodes.map { graph.label(of: $0) }
    self.kept = names.filter { selector.selects($0) }
    guard !sites.isEmpty else {
      throw .nothingToQuantize(
        reason: kept.isEmpty && self.kept.isEmpty
          ? "no Conv, ConvTranspose, Gemm or MatMul has constant float32 weights"
          : "all its products are kept in float")
    }
    groups = survey.groups(sharesConcatScales: options.sharesConcatScales)
  }
}
