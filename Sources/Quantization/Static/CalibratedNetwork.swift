// SPDX-License-Identifier: Apache-2.0
package import CompressionCore
package import GraphIR

/// A float network made ready for quantization, and what calibration found out about it.
///
/// Calibrated once, it can be quantized again and again with other nodes kept in float.
package struct CalibratedNetwork: Sendable {
  package let options: QuantizationOptions

  /// The float network: equalized, with a bias at every product that takes one.
  package let graph: Graph
  package let plan: QuantizationPlan
  package let statistics: CalibrationStatistics

  /// Names of the nodes whose channels were scaled against those of a following one.
  package let equalized: [String]

  /// Equalizes and calibrates.
  ///
  /// - Throws: `QuantizationError` for what cannot be done, and what reading and running throw.
  package init(
    _ graph: Graph, calibration: some CalibrationSource, options: QuantizationOptions,
    makeExecutor: ExecutorFactory, progress: (QuantizationProgress) throws -> Void
  ) throws {
    var graph = graph
    let draft = try QuantizationPlan(for: graph, options: options)
    if options.correctsBiases { graph = BiasCorrection.addingBiases(to: graph, sites: draft.sites) }
    plan = try QuantizationPlan(for: graph, options: options)
    var equalized: [String] = []
    if options.equalizes {
      let equalization = CrossLayerEqualization(
        pairs: EqualizationPair.pairs(of: plan.sites, in: GraphIndex(graph)),
        granularity: options.weights.granularity)
      if !equalization.pairs.isEmpty {
        let limit = min(CrossLayerEqualization.sampleLimit, calibration.sampleCount)
        let channels = try StatisticsCollector(
          of: [], channelsOf: equalization.observed, in: graph
        ).collect(
          from: calibration, upTo: limit, makeExecutor: makeExecutor,
          progress: { try progress(.equalizing(done: min($0, limit), of: limit)) }
        ).channels
        graph = equalization.applied(to: graph, channels: channels)
        equalized = equalization.pairs.map(\.first.label)
      }
    }
    let estimator = RangeEstimators.registry.method(named: options.estimator)
    statistics = try StatisticsCollector(
      of: plan.groups.flatMap(\.sources), channelsOf: plan.sites.map(\.data), in: graph,
      countedPerSample: estimator?.needsHistogram ?? true
        ? ValueStatistics.countedPerSample : CalibratedNetwork.countedForReports
    ).collect(
      from: calibration, makeExecutor: makeExecutor,
      progress: { try progress(.calibrating(done: $0, of: calibration.sampleCount)) })
    self.options = options
    self.graph = graph
    self.equalized = equalized
  }

  /// Elements of one sample that histograms count where only the report shows them.
  private static let countedForReports = 1024

  /// The quantized network.
  ///
  /// - Parameters:
  ///   - kept: Nodes that stay in float beside those of the options.
  ///   - widened: Nodes that get codes of 16 bits: weights, data and results.
  /// - Throws: `QuantizationError` if the estimator is unknown, samples gave NaN or infinities,
  ///   or nothing is left to quantize.
  package func quantized(
    keeping kept: Set<NodeID> = [], widening widened: Set<NodeID> = []
  ) throws(QuantizationError) -> QuantizedNetwork {
    let plan =
      kept.isEmpty ? plan : try QuantizationPlan(for: graph, options: options, keeping: kept)
    let statistics = statistics(for: plan)
    let activations = try plan.codes(
      from: statistics, in: graph, options: options, widening: widened)
    let weights = plan.weights(
      in: graph, activations: activations, quantizer: options.weights, widening: widened)
    var corrected = graph
    if options.correctsBiases {
      corrected = BiasCorrection(sites: plan.sites).applied(
        to: graph, weights: weights, channels: self.statistics.channels)
    }
    let written = QDQWriter(plan: plan, options: options).quantized(
      corrected, activations: activations, weights: weights)
    return QuantizedNetwork(
      graph: written, plan: plan, activations: activations, weights: weights,
      statistics: statistics)
  }

  /// Statistics of the sources of a plan that quantizes less than the one that was calibrated.
  ///
  /// A value that was a copy of others then may be a source now: it has their statistics.
  private func statistics(for other: QuantizationPlan) -> [ValueID: ValueStatistics] {
    var all = statistics.values
    for group in plan.groups where group.values.count > group.sources.count {
      var joint = ValueStatistics()
      for source in group.sources { if let part = all[source] { joint.add(part) } }
      for value in group.values where all[value] == nil { all[value] = joint }
    }
    return all
  }
}

/// A quantized network with the choices that made it.
package struct QuantizedNetwork: Sendable {
  package let graph: Graph
  package let plan: QuantizationPlan
  package let activations: ActivationCodes
  package let weights: [NodeID: QuantizedWeights]
  package let statistics: [ValueID: ValueStatistics]
}
