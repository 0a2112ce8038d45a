// SPDX-License-Identifier: Apache-2.0
import CPURuntime
public import GraphIR
import TensorCore

/// What calibration found out about the values of a network.
public struct CalibrationStatistics: Sendable {
  /// Ranges and histograms.
  public var values: [ValueID: ValueStatistics] = [:]

  /// Means and ranges of channels.
  public var channels: [ValueID: ChannelStatistics] = [:]
}

/// Runs a network over calibration samples once and collects statistics of chosen values.
public struct StatisticsCollector: Sendable {
  public let graph: Graph

  /// The values, computed ones and inputs, whose ranges and histograms are collected.
  public let values: [ValueID]

  /// The values whose channels are looked at one by one.
  public let channels: [ValueID]

  public init(of values: [ValueID], channelsOf channels: [ValueID] = [], in graph: Graph) {
    self.graph = graph
    self.values = Array(Set(values)).sorted()
    self.channels = Array(Set(channels)).sorted()
  }

  /// Statistics per value.
  ///
  /// - Parameters:
  ///   - source: Read batch by batch, in order.
  ///   - limit: Stops when this many samples have been seen.
  ///   - makeExecutor: Makes the executor of the graph with the values as its outputs.
  ///   - progress: Called after each batch with the samples done.
  /// - Throws: What reading, making or running throws.
  ///
  /// Memory does not grow with the number of samples; the result does not depend on threads.
  public func collect(
    from source: some CalibrationSource, upTo limit: Int = .max, makeExecutor: ExecutorFactory,
    progress: (_ samplesDone: Int) throws -> Void = { _ in }
  ) throws -> CalibrationStatistics {
    let inputs = Set(graph.inputs)
    let observed = Set(values + channels).sorted()
    let computed = observed.filter { !inputs.contains($0) }
    var observing = graph
    observing.setOutputs(computed)
    let executor = computed.isEmpty ? nil : try makeExecutor(observing)
    let ranged = Set(values)
    let channelled = Set(channels)
    var valueStatistics = observed.map { ranged.contains($0) ? ValueStatistics() : nil }
    var channelStatistics = observed.map { channelled.contains($0) ? ChannelStatistics() : nil }
    var done = 0
    for index in 0..<source.batchCount where done < limit {
      let batch = try source.batch(index)
      let results = Dictionary(
        zip(computed, try executor?.run(batch) ?? []), uniquingKeysWith: { first, _ in first })
      let tensors = observed.map { results[$0] ?? batch[graph[$0].name] }
      valueStatistics.withUnsafeMutableBufferPointer { valueStatistics in
        channelStatistics.withUnsafeMutableBufferPointer { channelStatistics in
          ThreadTeam.forEach(of: observed.count) { position in
            guard let tensor = tensors[position] else { return }
            valueStatistics[position]?.add(tensor)
            channelStatistics[position]?.add(tensor)
          }
        }
      }
      done += batch.values.first?.shape.first ?? 1
      try progress(done)
    }
    var statistics = CalibrationStatistics()
    for (position, value) in observed.enumerated() {
      statistics.values[value] = valueStatistics[position]
      statistics.channels[value] = channelStatistics[position]
    }
    return statistics
  }
}
