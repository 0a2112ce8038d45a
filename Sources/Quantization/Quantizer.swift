// SPDX-License-Identifier: Apache-2.0
public import CompressionCore
public import GraphIR
import GraphPasses

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
    let given = graph
    var graph = try given.inSinglePrecision()
    graph.inferTypes()
    switch options.mode {
    case .fixed:
      guard calibration.batchCount > 0 else { throw QuantizationError.emptyCalibration }
      let calibrated = try CalibratedNetwork(
        graph, calibration: calibration, options: options, makeExecutor: makeExecutor,
        progress: progress)
      return try measured(
        calibrated, try calibrated.quantized(), on: calibration, makeExecutor: makeExecutor,
        progress: progress)
    case .dynamic:
      let network = try DynamicQuantization(options: options).applied(to: graph)
      return QuantizationResult(graph: network.graph, report: network.report)
    case .weightOnly:
      let network = try WeightOnlyQuantization(options: options).applied(to: graph)
      return QuantizationResult(graph: network.graph, report: network.report)
    case .float16, .bfloat16:
      let converted =
        options.mode == .float16
        ? HalfPrecision.converted(given) : BrainFloatWeights.converted(given)
      return QuantizationResult(graph: converted, report: QuantizationReport(options: options))
    }
  }

  /// Samples on which layers are compared with the float network, at most.
  static let comparedSamples = 16

  /// A quantized network with its report, measured on some samples.
  static func measured(
    _ calibrated: CalibratedNetwork, _ network: QuantizedNetwork,
    on calibration: some CalibrationSource, makeExecutor: ExecutorFactory,
    progress: (QuantizationProgress) throws -> Void
  ) throws -> QuantizationResult {
    let limit = min(comparedSamples, calibration.sampleCount)
    let comparison = try NetworkComparison(
      of: calibrated.graph, with: network, on: calibration, upTo: limit,
      makeExecutor: makeExecutor,
      progress: { try progress(.comparing(done: min($0, limit), of: limit)) })
    var report = ReportWriter(
      calibrated: calibrated, network: network, comparison: comparison
    ).report()
    report.calibrationSamples = calibration.sampleCount
    return QuantizationResult(graph: network.graph, report: report)
  }
}

extension Graph {
  /// The graph with 16-bit floating-point numbers widened inside, where it has such.
  func inSinglePrecision() throws(PassError) -> Graph {
    let hasHalfs = valueIDs.contains { value in
      let type = type(value)?.elementType
      return type == .float16 || type == .bfloat16
    }
    return hasHalfs ? try PassPipeline.singlePrecision.run(self).graph : self
  }
}

/// What a quantization is doing at the moment.
public enum QuantizationProgress: Sendable, Equatable {
  case equalizing(done: Int, of: Int)
  case calibrating(done: Int, of: Int)
  case comparing(done: Int, of: Int)
  case ranking(done: Int, of: Int)
  case budgeting(restored: Int, widened: Int, drop: Double)
}

/// A quantized network and how it came about.
public struct QuantizationResult: Sendable {
  /// The network, in standard operators.
  public let graph: Graph

  public let report: QuantizationReport
}
