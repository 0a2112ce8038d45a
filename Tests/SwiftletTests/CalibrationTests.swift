// SPDX-License-Identifier: Apache-2.0
import Swiftlet
import TensorCore
import TestSupport
import Testing

@Suite("Calibration")
struct CalibrationTests {
  private let graph: Graph
  private let batches: [[String: Tensor]]

  init() throws {
    graph = try SmallNetwork.classifier(seed: 5).portable()
    var random = RandomSource(seed: 6)
    batches = (0..<20).map { index in
      let count = index == 19 ? 2 : 3
      let values = (0..<(count * 192)).map { _ in Float(random.nextUniform() * 4 - 2) }
      return ["input": Tensor(values, shape: [count, 3, 8, 8])]
    }
  }

  private func statistics(_ makeExecutor: ExecutorFactory) throws -> CalibrationStatistics {
    let values = graph.inputs + graph.nodes.flatMap { $0.outputs.compactMap { $0 } }
    return try StatisticsCollector(of: values, channelsOf: values, in: graph)
      .collect(from: InMemoryCalibration(batches), makeExecutor: makeExecutor)
  }

  @Test("gives the same statistics on one thread and on several, to the last bit")
  func threads() throws {
    let one = try statistics(BatchedModel.factory(threads: 1))
    let several = try statistics(BatchedModel.factory(threads: 3))
    #expect(one.values == several.values)
    #expect(one.channels == several.channels)
    #expect(one.values.count == graph.nodes.count + 1)
  }

  @Test("sees what the reference interpreter sees, whatever the layout in memory")
  func layouts() throws {
    let compiled = try statistics(BatchedModel.factory(threads: 2))
    let expected = try statistics { Interpreter($0) }
    for (value, reference) in expected.values {
      let found = try #require(compiled.values[value])
      // Sums of up to 27 products in single precision, in another order.
      let tolerance = max(reference.maximum, -reference.minimum) * 27 * 0x1p-24
      #expect(abs(found.minimum - reference.minimum) <= tolerance)
      #expect(abs(found.maximum - reference.maximum) <= tolerance)
      #expect(found.histogram.count == reference.histogram.count)
      #expect(found.sampleCount == 59)
      let means = try #require(expected.channels[value]).means
      let foundMeans = try #require(compiled.channels[value]).means
      #expect(foundMeans.count == means.count)
      for (one, other) in zip(foundMeans, means) {
        #expect(abs(one - other) <= Double(tolerance))
      }
    }
  }

  @Test("stops once it has seen as many samples as it was asked to")
  func limit() throws {
    var seen = 0
    _ = try StatisticsCollector(of: graph.inputs, in: graph).collect(
      from: InMemoryCalibration(batches), upTo: 7,
      makeExecutor: BatchedModel.factory(threads: 2), progress: { seen = $0 })
    #expect(seen == 9)
  }
}
