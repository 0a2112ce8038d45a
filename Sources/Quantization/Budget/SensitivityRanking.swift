// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import GraphIR
import TensorCore

/// Orders layers by the noise that each alone brings into the outputs of the network.
struct SensitivityRanking {
  private let calibrated: CalibratedNetwork
  private let makeExecutor: ExecutorFactory

  /// Samples that the noise is measured on, at most.
  static let sampleLimit = 32

  init(_ calibrated: CalibratedNetwork, makeExecutor: @escaping ExecutorFactory) {
    self.calibrated = calibrated
    self.makeExecutor = makeExecutor
  }

  /// The layers, the most sensitive first; equal ones in the order of the network.
  func layers(
    on source: some CalibrationSource, progress: (QuantizationProgress) throws -> Void
  ) throws -> [(node: NodeID, layer: RankedLayer)] {
    var batches: [[String: Tensor]] = []
    var samples = 0
    for index in 0..<source.batchCount where samples < SensitivityRanking.sampleLimit {
      batches.append(try source.batch(index))
      samples += batches.last?.values.first?.shape.first ?? 1
    }
    let reference = try makeExecutor(calibrated.graph)
    let expected = try batches.map { try reference.run($0) }
    let all = Set(calibrated.plan.sites.map(\.node))
    var ranked: [(node: NodeID, layer: RankedLayer)] = []
    for (position, site) in calibrated.plan.sites.enumerated() {
      try progress(.ranking(done: position, of: calibrated.plan.sites.count))
      let network = try calibrated.quantized(keeping: all.subtracting([site.node]))
      let executor = try makeExecutor(network.graph)
      var ratio = SignalToNoise()
      for (batch, real) in zip(batches, expected) {
        for (one, other) in zip(real, try executor.run(batch)) { ratio.add(one, other) }
      }
      ranked.append(
        (site.node, RankedLayer(name: site.label, decibels: ratio.decibels ?? .infinity)))
    }
    let order = ranked.indices.sorted { one, other in
      let (left, right) = (ranked[one].layer.decibels, ranked[other].layer.decibels)
      return left == right ? one < other : left < right
    }
    return order.map { ranked[$0] }
  }
}
