// SPDX-License-Identifier: Apache-2.0
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

  /// Elements of one sample that histograms count, about.
  public let countedPerSample: Int

  public init(
    of values: [ValueID], channelsOf channels: [ValueID] = [], in graph: Graph,
    countedPerSample: Int = ValueStatistics.countedPerSample
  ) {
    self.countedPerSample = countedPerSample
    self.graph = graph
    self.values = Array(Set(values)).sorted()
    self.channels = Array(Set(channels)).sorted()
  }

  /// Statistics per value.
  ///
  /// - Parameters:
  ///   - source: Read batch by batch, several at a time.
  ///   - limit: Stops when this many samples have been seen.
  ///   - makeExecutor: Makes the executor of the graph with the values as its outputs.
  ///   - progress: Called now and then with the samples done.
  /// - Throws: What reading, making or running throws.
  ///
  /// Memory does not grow with the number of samples. Each thread takes whole batches; what they
  /// tell is added up in the order of the batches, so the result does not depend on threads.
  public func collect(
    from source: some CalibrationSource, upTo limit: Int = .max, makeExecutor: ExecutorFactory,
    progress: (_ samplesDone: Int) throws -> Void = { _ in }
  ) throws -> CalibrationStatistics {
    let inputs = Set(graph.inputs)
    let observed = Set(values + channels).sorted()
    let computed = observed.filter { !inputs.contains($0) }
    var observing = graph
    observing.setOutputs(computed)
    let run = CalibrationRun(
      executor: computed.isEmpty ? nil : try makeExecutor(observing),
      values: zip(observed, observed.map(Set(values).contains)).map { value, isRanged in
        CalibrationRun.ObservedValue(
          input: inputs.contains(value) ? graph[value].name : nil,
          output: computed.firstIndex(of: value), isRanged: isRanged,
          asksForChannels: channels.contains(value))
      },
      countedPerSample: countedPerSample)
    var ranges = observed.map { _ in ValueStatistics() }
    var parts = observed.map { _ in ChannelStatistics() }
    var done = 0
    var next = 0
    let batchCount = max(source.batchCount, 1)
    var perBatch = max((source.sampleCount + batchCount - 1) / batchCount, 1)
    while next < source.batchCount, done < limit {
      let wanted = limit == .max ? Self.roundLength : (limit - done + perBatch - 1) / perBatch
      let round = next..<(next + min(wanted, Self.roundLength, source.batchCount - next))
      for batch in try run.outcomes(of: round, from: source) {
        for (position, statistics) in batch.statistics.enumerated() {
          guard let statistics else { continue }
          ranges[position].add(statistics.samples)
          if let channels = statistics.channels { parts[position].add(channels) }
        }
        done += batch.sampleCount
        perBatch = max(batch.sampleCount, 1)
      }
      next = round.upperBound
      try progress(min(done, source.sampleCount))
    }
    let histograms = run.histograms()
    var statistics = CalibrationStatistics()
    for (position, value) in observed.enumerated() {
      if run.values[position].isRanged {
        ranges[position].add(histograms[position])
        statistics.values[value] = ranges[position]
      }
      if run.values[position].asksForChannels { statistics.channels[value] = parts[position] }
    }
    return statistics
  }

  /// Batches after whose end all threads meet.
  private static let roundLength = 16
}
