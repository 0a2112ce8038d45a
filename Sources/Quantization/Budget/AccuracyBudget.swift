// SPDX-License-Identifier: Apache-2.0
public import CompressionCore
public import GraphIR

/// Quantizes as much of a network as an allowed loss of accuracy permits.
///
/// Layers are ranked by the noise that each alone brings into the outputs on some samples. If 16
/// bits for all of them meet the budget, the fewest of that order are searched that need them, by
/// doubling and halving, each time measured; otherwise the fewest that must go back to float. At
/// last layers that were restored in vain get their 8 bits again.
public struct AccuracyBudget: Codable, Sendable, Equatable {
  /// The loss that is allowed, in the units of the score (points of top-1, for example).
  public var maximumDrop: Double

  /// Measurements at most, the one of the fully quantized network included.
  public var measurementLimit: Int

  public init(maximumDrop: Double, measurementLimit: Int = 24) {
    self.maximumDrop = maximumDrop
    self.measurementLimit = measurementLimit
  }
}

/// What a budgeted quantization needs from outside.
public struct BudgetHooks {
  /// The score of a network in the portable form, greater is better.
  public var evaluate: (Graph) throws -> Double

  /// Keeps a network that is the best so far, on disk for example.
  public var keepBest: (QuantizationResult) throws -> Void

  public var progress: (QuantizationProgress) throws -> Void

  public init(
    evaluate: @escaping (Graph) throws -> Double,
    keepBest: @escaping (QuantizationResult) throws -> Void = { _ in },
    progress: @escaping (QuantizationProgress) throws -> Void = { _ in }
  ) {
    self.evaluate = evaluate
    self.keepBest = keepBest
    self.progress = progress
  }
}

/// One measurement on the way to a budget.
public struct BudgetStep: Codable, Sendable, Equatable {
  /// Names of the layers that were kept in float.
  public var restored: [String]
  /// Names of the layers that had 16 bits.
  public var widened: [String]
  public var score: Double
  /// The score of the float network minus this one.
  public var drop: Double
}

/// How a budgeted quantization ended.
public struct BudgetResult: Sendable {
  /// The network with the most layers quantized that meets the budget; otherwise the closest.
  public var result: QuantizationResult

  public var referenceScore: Double
  public var score: Double

  /// The measurements in their order.
  public var steps: [BudgetStep]

  /// Layers from the one that brings the most noise into the outputs, with the signal to noise
  /// of the outputs when it alone is quantized, in decibel.
  public var ranking: [RankedLayer]

  /// Names of the layers that are float in the result.
  public var restored: [String]

  /// Names of the layers that have 16 bits in the result.
  public var widened: [String]

  /// By how much the budget was missed; 0 if it was met.
  public var gap: Double

  public var isMet: Bool { gap <= 0 }
}

/// A layer and how much noise it alone brings into the outputs.
public struct RankedLayer: Codable, Sendable, Equatable {
  public var name: String
  /// Signal to noise of the outputs, in decibel; infinite where nothing changes.
  public var decibels: Double
}

extension Quantizer {
  /// Static quantization that loses no more than a budget allows.
  ///
  /// - Parameters:
  ///   - graph: A trained network in the portable form.
  ///   - budget: The loss that is allowed.
  ///   - calibration: Sample inputs.
  ///   - options: As for `quantize`; the mode must be static.
  ///   - makeExecutor: Runs networks on samples.
  ///   - hooks: How to measure and what to do with the best network so far.
  /// - Returns: The network, and what was tried. A budget that cannot be met is no error.
  /// - Throws: As `quantize`, and what the hooks throw.
  public static func quantize(
    _ graph: Graph, within budget: AccuracyBudget, calibration: some CalibrationSource,
    options: QuantizationOptions, makeExecutor: @escaping ExecutorFactory, hooks: BudgetHooks
  ) throws -> BudgetResult {
    try options.validate()
    guard options.mode == .fixed else {
      throw QuantizationError.unsupportedType(
        options.mode.rawValue, role: "an accuracy budget",
        supported: [QuantizationOptions.Mode.fixed.rawValue])
    }
    guard calibration.batchCount > 0 else { throw QuantizationError.emptyCalibration }
    var graph = try graph.inSinglePrecision()
    graph.inferTypes()
    let reference = try hooks.evaluate(graph)
    let calibrated = try CalibratedNetwork(
      graph, calibration: calibration, options: options, makeExecutor: makeExecutor,
      progress: hooks.progress)
    var search = BudgetSearch(
      calibrated: calibrated, reference: reference, budget: budget, hooks: hooks,
      measure: { network in
        try measured(
          calibrated, network, on: calibration, makeExecutor: makeExecutor, progress: { _ in })
      })
    return try search.run(
      ranking: {
        try SensitivityRanking(calibrated, makeExecutor: makeExecutor).layers(
          on: calibration, progress: hooks.progress)
      })
  }
}
