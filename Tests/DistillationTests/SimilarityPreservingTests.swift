// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import Distillation
import TensorCore
import Testing

@Suite("Similarity preserving")
struct SimilarityPreservingTests {
  @Test("The worked example: three samples, two against three features")
  func example() throws {
    let student = Tensor([1, 0, 1, 1, 0, 2] as [Float], shape: [3, 2])
    let teacher = Tensor([1, 2, 0, 0, 1, 1, 1, 0, 1] as [Float], shape: [3, 3])
    let probe = try LossProbe(SimilarityPreserving(), [(student, teacher)])
    #expect(agree(try probe.value(), 0.065454))
    #expect(agree(3000 * (try probe.value()) / 196.362712, 1))
  }

  @Test("The order of channels and places does not matter")
  func order() throws {
    let maps = drawn([4, 3, 2, 2], seed: 1)
    let rows = Tensor(maps.floats(), shape: [4, 12])
    let other = drawn([4, 5], seed: 2)
    #expect(
      agree(
        try LossProbe(SimilarityPreserving(), [(maps, other)]).value(),
        try LossProbe(SimilarityPreserving(), [(rows, other)]).value()))
  }

  @Test("Its options come from the command line")
  func options() throws {
    let loss = try DistillationLosses.family.method(for: MethodChoice(parsing: "sp:beta=2"))
    #expect(loss.weight == 2)
    #expect(loss.taps == FeatureTaps(student: .last, teacher: .last))
  }
}
