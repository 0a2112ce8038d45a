// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import GraphIR
import Quantization
import TensorCore
import Testing

@Suite("Equalization and bias correction")
struct CorrectionTests {
  private func network(activation: any Op, constants: [Tensor]) -> (Graph, NetworkBuilder) {
    var builder = NetworkBuilder(seed: 5)
    let first = builder.conv(builder.input, 3, 8, spread: true)
    let active = builder.add(activation, [first], constants: constants)
    let depthwise = builder.conv(active, 8, 8, group: 8, spread: true)
    let again = builder.add(activation, [depthwise], constants: constants)
    let last = builder.conv(again, 8, 5, kernel: 1)
    return (builder.finished(last), builder)
  }

  private static let activations: [(String, any Op, [Tensor])] = [
    ("ReLU", Unary(.relu), []),
    ("leaky ReLU", Unary(.leakyRelu(alpha: 0.1)), []),
    ("ReLU6", Clip(), [Tensor(scalar: Float(0)), Tensor(scalar: Float(6))]),
  ]

  @Test(
    "Equalization leaves the function of the network as it was", arguments: [0, 1, 2],
    Granularity.allCases)
  func sameFunction(activation: Int, granularity: Granularity) throws {
    let (_, op, constants) = Self.activations[activation]
    let (graph, builder) = network(activation: op, constants: constants)
    let plan = try QuantizationPlan(for: graph, options: QuantizationOptions())
    let pairs = EqualizationPair.pairs(of: plan.sites, in: GraphIndex(graph))
    #expect(pairs.count == 2)
    #expect(pairs.map(\.isDepthwise) == [true, false])
    let equalization = CrossLayerEqualization(pairs: pairs, granularity: granularity)
    let statistics = try StatisticsCollector(
      of: [], channelsOf: equalization.observed, in: graph
    ).collect(from: builder.samples(), makeExecutor: interpret)
    let changed = equalization.applied(to: graph, channels: statistics.channels)
    #expect(
      changed.constant(pairs[0].first.weight) != graph.constant(pairs[0].first.weight))
    let input = try builder.samples().batch(1)
    let before = try Interpreter(graph).run(input)[0].floats()
    let after = try Interpreter(changed).run(input)[0].floats()
    let greatest = before.map { abs($0) }.max() ?? 0
    for (one, other) in zip(before, after) { #expect(abs(one - other) <= 1e-5 * greatest) }
  }

  @Test("Behind equalization for a depthwise convolution all channels reach equally far")
  func equalRanges() throws {
    let (graph, builder) = network(activation: Unary(.relu), constants: [])
    let plan = try QuantizationPlan(for: graph, options: QuantizationOptions())
    let pairs = EqualizationPair.pairs(of: plan.sites, in: GraphIndex(graph))
    let equalization = CrossLayerEqualization(pairs: [pairs[0]], granularity: .perChannel)
    let collect = { (graph: Graph) in
      try StatisticsCollector(of: [], channelsOf: equalization.observed, in: graph)
        .collect(from: builder.samples(), makeExecutor: interpret).channels
    }
    let changed = equalization.applied(to: graph, channels: try collect(graph))
    let ranges = try collect(changed)[pairs[0].between]?.magnitudes ?? []
    let used = ranges.filter { $0 > 0 }
    #expect(used.count > 4)
    #expect((used.max() ?? 0) <= (used.min() ?? 0) * 1.001)
  }

  @Test("A value that others use, or a softmax in between, makes no pair")
  func noPair() throws {
    var builder = NetworkBuilder()
    let first = builder.add(Unary(.relu), [builder.conv(builder.input, 3, 4)])
    let second = builder.conv(first, 4, 4)
    let sum = builder.add(Binary(.add), [second, first])
    let soft = builder.add(Softmax(axis: 1), [builder.conv(sum, 4, 4)])
    let graph = builder.finished(builder.conv(soft, 4, 5))
    let plan = try QuantizationPlan(for: graph, options: QuantizationOptions())
    #expect(EqualizationPair.pairs(of: plan.sites, in: GraphIndex(graph)).isEmpty)
  }

  @Test("Bias correction brings the mean output of a layer back")
  func means() throws {
    var builder = NetworkBuilder(seed: 8)
    let graph = builder.finished(
      builder.conv(builder.input, 3, 16, kernel: 1, spread: true, bias: false))
    var options = QuantizationOptions()
    options.estimator = "minmax"
    options.weights.granularity = .perTensor
    // One-sided inputs have means far from zero, which is where rounded weights shift outputs.
    let samples = InMemoryCalibration(
      try (0..<3).map { index in
        let tensor = try builder.samples().batch(index)["input"]
        let values = tensor?.floats().map { abs($0) } ?? []
        return ["input": Tensor(values, shape: tensor?.shape ?? [])]
      })
    func shift(correcting: Bool) throws -> Double {
      options.correctsBiases = correcting
      let result = try Quantizer.quantize(
        graph, calibration: samples, options: options, makeExecutor: interpret)
      var (one, other) = (ChannelStatistics(), ChannelStatistics())
      for index in 0..<3 {
        let input = try samples.batch(index)
        one.add(try Interpreter(graph).run(input)[0])
        other.add(try Interpreter(result.graph).run(input)[0])
      }
      return zip(one.means, other.means).map { abs($0 - $1) }.reduce(0, +)
    }
    #expect(try shift(correcting: true) < shift(correcting: false) * 0.3)
  }
}
