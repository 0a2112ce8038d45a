// SPDX-License-Identifier: Apache-2.0
public import GraphIR
import TensorCore

/// Runs a network over calibration samples once and collects statistics of chosen values.
public struct StatisticsCollector: Sendable {
  public let graph: Graph

  /// The values to observe, each once: computed ones and inputs.
  public let values: [ValueID]

  public init(of values: [ValueID], in graph: Graph) {
    self.graph = graph
    self.values = values
  }

  /// Statistics per value.
  ///
  /// - Parameters:
  ///   - source: Read batch by batch, in order.
  ///   - makeExecutor: Makes the executor of the graph with the values as its outputs.
  ///   - progress: Called after each batch with the samples done.
  /// - Throws: What reading, making or running throws.
  ///
  /// Memory does not grow with the number of samples; the result does not depend on threads.
  public func collect(
    from source: some CalibrationSource, makeExecutor: ExecutorFactory,
    progress: (_ samplesDone: Int) throws -> Void = { _ in }
  ) throws -> [ValueID: ValueStatistics] {
    let inputs = Set(graph.inputs)
    let computed = values.filter { !inputs.contains($0) }
    var observed = graph
    observed.setOutputs(computed)
    let executor = computed.isEmpty ? nil : try makeExecutor(observed)
    var statistics = [ValueStatistics](repeating: ValueStatistics(), count: values.count)
    var done = 0
    for index in 0..<source.batchCount {
      let batch = try source.batch(index)
      let results = try executor?.run(batch) ?? []
      var next = 0
      for (position, value) in values.enumerated() {
        if inputs.contains(value) {
          if let tensor = batch[graph[value].name] { statistics[position].add(tensor) }
        } else {
          statistics[position].add(results[next])
          next += 1
        }
      }
      done += batch.values.first?.shape.first ?? 1
      try progress(done)
    }
    return Dictionary(uniqueKeysWithValues: zip(values, statistics))
  }
}
