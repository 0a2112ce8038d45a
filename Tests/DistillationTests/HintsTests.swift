// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import Distillation
import TensorCore
import Testing

@Suite("FitNet hints")
struct HintsTests {
  @Test("The regressor's guess is compared element by element")
  func example() throws {
    let student = Tensor([1, 2, 3, 4, 0, 1, 0, 1] as [Float], shape: [1, 2, 2, 2])
    let teacher = Tensor([Float](repeating: 1, count: 12), shape: [1, 3, 2, 2])
    let probe = try LossProbe(Hints(), [(student, teacher)])
    // Rows of the regressor: the first channel, the second, their sum less one.
    let loss = try probe.value([
      "hint/0/regressor/weight": Tensor([1, 0, 0, 1, 1, 1] as [Float], shape: [3, 2, 1, 1]),
      "hint/0/regressor/bias": Tensor([0, 0, -1] as [Float], shape: [3]),
    ])
    // Differences 0 1 2 3, −1 0 −1 0, −1 1 1 3: squares 14 + 2 + 12 over 12 elements.
    #expect(agree(loss, 28.0 / 12))
  }

  @Test("Each pair has a regressor of its own, with gradients")
  func pairs() throws {
    let pairs = [
      (student: drawn([2, 2, 2, 2], seed: 1), teacher: drawn([2, 3, 2, 2], seed: 2)),
      (student: drawn([2, 4, 2, 2], seed: 3), teacher: drawn([2, 3, 1, 1], seed: 4)),
    ]
    let probe = try LossProbe(Hints(), pairs)
    for index in 0..<2 {
      let weight = try #require(
        probe.graph.value(named: "hint/\(index)/regressor/weight"))
      #expect(probe.graph[weight].type?.shape == [3, pairs[index].student.shape[1], 1, 1])
      #expect(try probe.gradient(by: weight).contains { $0 != 0 })
    }
  }

  @Test("Its options come from the command line")
  func options() throws {
    let loss = try DistillationLosses.family.method(for: MethodChoice(parsing: "hint"))
    #expect(loss.weight == 100)
    #expect(loss.taps == FeatureTaps(student: .middle, teacher: .middle))
  }
}
