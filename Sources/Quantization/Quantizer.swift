// SPDX-License-Identifier: Apache-2.0
public import CompressionCore
public import GraphIR

/// Quantizes trained networks.
public enum Quantizer {
  /// The network with integer weights and activations, or in a 16-bit type.
  ///
  /// - Parameters:
  ///   - graph: A trained network in the portable form (see `PassPipeline`).
  ///   - calibration: Sample inputs; only static quantization reads them all.
  ///   - options: What to do; checked before anything is read.
  ///   - makeExecutor: Runs networks on samples.
  ///   - progress: Called now and then with what is being done.
  /// - Returns: The network and what was measured on the way.
  /// - Throws: `QuantizationError` for what cannot be done, and what reading and running throw.
  ///
  /// The result depends on graph, samples and options alone, not on the number of threads.
  public static func quantize(
    _ graph: Graph, calibration: some CalibrationSource, options: QuantizationOptions,
    makeExecutor: @escaping ExecutorFactory,
    progress: (QuantizationProgress) throws -> Void = { _ in }
  ) throws -> QuantizationResult {
    try options.validate()
    var graph = graph
    graph.inferTypes()
    guard calibration.batchCount > 0 else { throw QuantizationError.emptyCalibration }
    let first = try QuantizationPlan(for: graph, options: options)
    if options.correctsBiases { graph = BiasCorrection.addingBiases(to: graph, sites: first.sites) }
    let plan = try QuantizationPlan(for: graph, options: options)
    if options.equalizes {
      let equalization = CrossLayerEqualization(
        pairs: EqualizationPair.pairs(of: plan.sites, in: GraphIndex(graph)),
        granularity: options.weights.granularity)
      if !equalization.pairs.isEmpty {
        let channels = try StatisticsCollector(
          of: [], channelsOf: equalization.observed, in: graph
        ).collect(
          from: calibration, upTo: equalizationSamples, makeExecutor: makeExecutor,
          progress: { done in
            try progress(.equalizing(done: done, of: min(done, calibration.sampleCount)))
          }
        ).channels
        graph = equalization.applied(to: graph, channels: channels)
      }
    }
    let collector = StatisticsCollector(
      of: plan.groups.flatMap(\.sources),
      channelsOf: options.correctsBiases ? plan.sites.map(\.data) : [], in: graph)
    let statistics = try collector.collect(
      from: calibration, makeExecutor: makeExecutor,
      progress: { done in
        try progress(.calibrating(done: done, of: calibration.sampleCount))
      })
    let activations = try plan.codes(from: statistics.values, in: graph, options: options)
    let weights = plan.weights(in: graph, activations: activations, quantizer: options.weights)
    if options.correctsBiases {
      graph = BiasCorrection(sites: plan.sites).applied(
        to: graph, weights: weights, channels: statistics.channels)
    }
    let writer = QDQWriter(plan: plan, options: options)
    let quantized = writer.quantized(graph, activations: activations, weights: weights)
    return QuantizationResult(graph: quantized)
  }

  /// Samples that equalization looks at, at most.
  static let equalizationSamples = 64
}

/// What a quantization is doing at the moment.
public enum QuantizationProgress: Sendable, Equatable {
  case equalizing(done: Int, of: Int)
  case calibrating(done: Int, of: Int)
}

/// A quantized network and how it came about.
public struct QuantizationResult: Sendable {
  /// The network, in standard operators.
  public let graph: Graph
}
