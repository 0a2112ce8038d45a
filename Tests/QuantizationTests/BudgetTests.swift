// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import GraphIR
import Quantization
import TensorCore
import Testing

@Suite("Accuracy budgets")
struct BudgetTests {
  private final class Record {
    var kept: [Double] = []
  }

  private func network() -> (Graph, NetworkBuilder) {
    var builder = NetworkBuilder(seed: 33)
    var value = builder.input
    for channels in [3, 6, 6, 6] {
      value = builder.add(Unary(.relu), [builder.conv(value, channels, 6)])
    }
    return (builder.finished(builder.conv(value, 6, 5)), builder)
  }

  /// A score that falls by 3 for `Conv_3` in integers and by 1 for every other convolution.
  private func score(_ graph: Graph) -> Double {
    var score = 90.0
    for node in graph.nodes where node.op is Conv {
      let isFloat = graph.constant(node.inputs[1])?.elementType == .float32
      if !isFloat { score -= node.name == "Conv_3" ? 3 : 1 }
    }
    return score
  }

  private func run(
    _ maximumDrop: Double, limit: Int = 24, record: Record = Record()
  ) throws -> BudgetResult {
    let (graph, builder) = network()
    return try Quantizer.quantize(
      graph, within: AccuracyBudget(maximumDrop: maximumDrop, measurementLimit: limit),
      calibration: builder.samples(), options: QuantizationOptions(), makeExecutor: interpret,
      hooks: BudgetHooks(
        evaluate: { score($0) }, keepBest: { record.kept.append(score($0.graph)) }))
  }

  @Test("A network within the budget keeps all its layers quantized after one measurement")
  func met() throws {
    let result = try run(7)
    #expect(result.isMet)
    #expect(result.restored.isEmpty)
    #expect(result.steps.count == 1)
    #expect(result.ranking.isEmpty)
  }

  @Test("Layers are restored until the budget is met, and none in vain")
  func restored() throws {
    let record = Record()
    let result = try run(4, record: record)
    #expect(result.isMet)
    #expect(result.restored == ["Conv_3"])
    #expect(result.score == 86)
    #expect(result.ranking.count == 5)
    #expect(record.kept.last == 86)
  }

  @Test("Layers get 16 bits before any goes back to float")
  func widened() throws {
    let (graph, builder) = network()
    // A score that falls by 3 for `Conv_3` in 8 bits and by 1 for every other convolution.
    func score(_ graph: Graph) -> Double {
      graph.nodes.filter { $0.op is Conv }.reduce(90) { sum, node in
        let codes = graph.nodes.first { $0.outputs.contains(node.inputs[1]) }?.inputs[0]
        let isByte = codes.flatMap { graph[$0].constant }?.elementType == .int8
        return isByte ? sum - (node.name == "Conv_3" ? 3 : 1) : sum
      }
    }
    let result = try Quantizer.quantize(
      graph, within: AccuracyBudget(maximumDrop: 4), calibration: builder.samples(),
      options: QuantizationOptions(), makeExecutor: interpret,
      hooks: BudgetHooks(evaluate: { score($0) }))
    #expect(result.isMet)
    #expect(result.restored.isEmpty)
    #expect(result.widened == ["Conv_3"])
    let layer = try #require(result.result.report.layers.first { $0.name == "Conv_3" })
    #expect(layer.weightBits == 16)
    #expect(layer.activationBits == 16)
    #expect(result.result.graph.metadata.opset >= 21)
  }

  @Test("A budget that cannot be met gives the closest network and the gap")
  func missed() throws {
    let result = try run(0.5)
    #expect(!result.isMet)
    // One layer stays quantized, and the least harmful order leaves one that costs a point.
    #expect(result.gap == 0.5)
    #expect(result.restored.count == 4)
  }

  @Test("The number of measurements has a limit")
  func limit() throws {
    #expect(try run(0.5, limit: 3).steps.count <= 4)
  }
}
