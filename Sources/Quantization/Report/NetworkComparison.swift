// SPDX-License-Identifier: Apache-2.0
import CPURuntime
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
      // What the first network shows is in memory at once, so of as few samples as can be.
      for part in graph.hasFreeBatch ? batch.samples : [batch] {
        var shown: [Int: (layout: Layout, elements: [Float])] = [:]
        try first.observe(part) { output, elements in
          shown[output.position] = (
            output.layout, Self.ordered(elements, of: output, as: output.layout)
          )
        }
        try second.observe(part) { output, elements in
          guard let reference = shown[output.position] else { return }
          let changed = Self.ordered(elements, of: output, as: reference.layout)
          guard changed.count == reference.elements.count else { return }
          if output.position < graph.outputs.count {
            outputs.add(reference.elements, changed)
          } else {
            byValue[output.position - graph.outputs.count].add(reference.elements, changed)
          }
        }
      }
      sampleCount += batch.values.first?.shape.first ?? 1
      try progress(sampleCount)
    }
    let places = Dictionary(uniqueKeysWithValues: zip(results, byValue))
    for site in network.plan.sites { layers[site.node] = places[site.result] }
  }

  /// An output's elements in the order of another layout.
  private static func ordered(
    _ elements: Span<Float>, of output: ObservedOutput, as layout: Layout
  ) -> [Float] {
    let shape = output.shape
    guard output.layout != layout, shape.count >= 3 else {
      return elements.indices.map { elements[$0] }
    }
    // Channels and pixels of a sample change places.
    let pixels = shape[2...].reduce(1, *)
    let (inner, outer) = layout == .plain ? (pixels, shape[1]) : (shape[1], pixels)
    return (0..<elements.count).map { place in
      let (sample, rest) = place.quotientAndRemainder(dividingBy: max(inner * outer, 1))
      return elements[sample * inner * outer + rest % inner * outer + rest / inner]
    }
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
