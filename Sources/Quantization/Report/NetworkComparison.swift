// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import GraphIR
import TensorCore

/// Runs a float network and its quantized form side by side.
struct NetworkComparison {
  /// Signal to noise of the result of each product, as users of the result see it.
  private(set) var layers: [NodeID: SignalToNoise] = [:]

  /// Signal to noise of all outputs together.
  private(set) var outputs = SignalToNoise()
  private(set) var sampleCount = 0

  /// - Parameters:
  ///   - graph: The float network.
  ///   - network: Its quantized form.
  ///   - source: Samples to compare on, of which the first `limit` are used.
  init(
    of graph: Graph, with network: QuantizedNetwork, on source: some CalibrationSource,
    upTo limit: Int, makeExecutor: ExecutorFactory, progress: (Int) throws -> Void
  ) throws {
    var readable: [ValueID: ValueID] = [:]
    let index = GraphIndex(network.graph)
    for site in network.plan.sites {
      let pair = index.consumers(of: site.result).first { $0.op is QuantizeLinear }
      let code = pair?.outputs.first ?? nil
      let back = code.flatMap { code in
        index.consumers(of: code).first { $0.op is DequantizeLinear }?.outputs.first ?? nil
      }
      readable[site.result] = back ?? site.result
    }
    let results = Array(Set(network.plan.sites.map(\.result))).sorted()
    var real = graph
    real.setOutputs(graph.outputs + results)
    var coded = network.graph
    coded.setOutputs(network.graph.outputs + results.map { readable[$0] ?? $0 })
    let (first, second) = (try makeExecutor(real), try makeExecutor(coded))
    var byValue = [SignalToNoise](repeating: SignalToNoise(), count: results.count)
    for position in 0..<source.batchCount where sampleCount < limit {
      let batch = try source.batch(position)
      // All results of both networks are in memory at once, so of as few samples as can be.
      for part in graph.hasFreeBatch ? batch.samples : [batch] {
        let (one, other) = (try first.run(part), try second.run(part))
        for output in graph.outputs.indices { outputs.add(one[output], other[output]) }
        for result in results.indices {
          byValue[result].add(
            one[graph.outputs.count + result], other[graph.outputs.count + result])
        }
      }
      sampleCount += batch.values.first?.shape.first ?? 1
      try progress(sampleCount)
    }
    let places = Dictionary(uniqueKeysWithValues: zip(results, byValue))
    for site in network.plan.sites { layers[site.node] = places[site.result] }
  }
}

extension [String: Tensor] {
  /// The samples of a batch one by one; the batch itself where its tensors differ in their number.
  fileprivate var samples: [[String: Tensor]] {
    let counts = Set(values.map { $0.shape.first ?? 0 })
    guard counts.count == 1, let count = counts.first, count > 1,
      values.allSatisfy({ $0.elementType.bitWidth >= 8 })
    else { return [self] }
    return (0..<count).map { index in mapValues { $0.sample(index, of: count) } }
  }
}
