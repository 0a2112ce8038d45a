// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import Synchronization
import TensorCore

/// Reads batches, runs them and looks at values, several batches at a time.
final class CalibrationRun: Sendable {
  // A class because it owns the histograms that threads take turns in filling.

  /// What is looked at.
  struct ObservedValue: Sendable {
    /// The name of the input that it is, or its position among the executor's outputs.
    var input: String?
    var output: Int?

    /// Whether its range and histogram are asked for, and its channels.
    var isRanged: Bool
    var asksForChannels: Bool
  }

  /// What a batch tells; a value that the executor did not show is missing.
  struct Outcome: Sendable {
    var statistics: [BatchStatistics?]
    var sampleCount: Int
  }

  let values: [ObservedValue]
  private let executor: (any GraphExecutor)?
  private let countedPerSample: Int
  private let positions: [Int: Int]
  private let idle = Mutex<[[Histogram]]>([])

  init(executor: (any GraphExecutor)?, values: [ObservedValue], countedPerSample: Int) {
    self.executor = executor
    self.values = values
    self.countedPerSample = countedPerSample
    positions = Dictionary(
      values.indices.compactMap { index in values[index].output.map { ($0, index) } },
      uniquingKeysWith: { first, _ in first })
  }

  /// What each of some batches tells, in order.
  ///
  /// - Throws: What reading or running the first batch that fails throws.
  func outcomes(
    of batches: Range<Int>, from source: some CalibrationSource
  ) throws -> [Outcome] {
    let results = Mutex<[Int: Result<Outcome, any Error>]>([:])
    ThreadTeam.forEach(of: batches.count, threads: executor?.observerCount ?? 1) { index in
      let result = Result { try outcome(of: source.batch(batches.lowerBound + index)) }
      results.withLock { $0[index] = result }
    }
    let found = results.withLock { $0 }
    return try batches.indices.compactMap { try found[$0 - batches.lowerBound]?.get() }
  }

  /// The counts of all batches so far, by value.
  func histograms() -> [Histogram] {
    var sum = values.map { _ in Histogram() }
    for part in idle.withLock({ $0 }) {
      for position in sum.indices { sum[position].add(part[position]) }
    }
    return sum
  }

  private func outcome(of batch: [String: Tensor]) throws -> Outcome {
    var statistics = [BatchStatistics?](repeating: nil, count: values.count)
    // Counts are whole numbers: it makes no difference which histogram a batch is counted in.
    var histograms = idle.withLock { $0.popLast() } ?? values.map { _ in Histogram() }
    func look(
      at position: Int, _ elements: UnsafeBufferPointer<Float>, _ shape: [Int], _ layout: Layout
    ) {
      let found = BatchStatistics(
        of: elements, shape: shape, layout: layout,
        asksForChannels: values[position].asksForChannels)
      statistics[position] = found
      guard values[position].isRanged else { return }
      histograms[position].add(
        elements, shape: shape, layout: layout, ranges: found.samples,
        countedPerSample: countedPerSample)
    }
    for (position, value) in values.enumerated() {
      guard let tensor = value.input.flatMap({ batch[$0] }) else { continue }
      tensor.withFloats { look(at: position, $0, tensor.shape, .plain) }
    }
    try executor?.observe(batch) { output, elements in
      guard let position = positions[output.position] else { return }
      elements.withUnsafeBufferPointer { look(at: position, $0, output.shape, output.layout) }
    }
    idle.withLock { $0.append(histograms) }
    return Outcome(
      statistics: statistics, sampleCount: batch.values.first?.shape.first ?? 1)
  }
}
