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
