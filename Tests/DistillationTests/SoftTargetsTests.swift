// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import Distillation
import TensorCore
import Testing

@Suite("Soft targets")
struct SoftTargetsTests {
  private let student = Tensor([1, 2, 0.5] as [Float], shape: [1, 3])
  private let teacher = Tensor([5, 2, -1] as [Float], shape: [1, 3])

  @Test("The worked example: T² KL and its gradient at T = 4")
  func example() throws {
    let probe = try LossProbe(SoftTargets(temperature: 4, alpha: 0.9), [(student, teacher)])
    let divergence = try probe.value()
    #expect(agree(divergence, 2.641684))
    let gradient = try probe.gradient(by: probe.students[0])
    for (found, wanted) in zip(gradient, [-1.095975, 0.507598, 0.588377]) {
      #expect(abs(found - wanted) <= 2e-6)
    }
    // (1 − α) · cross-entropy + α · T² KL, the cross-entropy with label 0 being 1.464369.
    let loss = SoftTargets(temperature: 4, alpha: 0.9)
    #expect(agree(loss.labelFactor * 1.464369 + loss.weight * divergence, 2.523952))
  }

  @Test("At T = 1 it is the divergence itself")
  func plain() throws {
    // Σ p log(p / q) of the softmaxes of (5, 2, −1) and (1, 2, 0.5).
    let probe = try LossProbe(SoftTargets(temperature: 1, alpha: 0.5), [(student, teacher)])
    #expect(agree(try probe.value(), 1.211210))
  }

  @Test("Options come from the command line, and wrong ones are refused")
  func options() throws {
    let choice = try MethodChoice(parsing: "kd:T=2.5,alpha=1")
    let loss = try DistillationLosses.family.method(for: choice)
    #expect((loss as? SoftTargets)?.temperature == 2.5)
    #expect(loss.weight == 1)
    #expect(loss.labelFactor == 0)
    for text in ["kd:T=0", "kd:alpha=1.5", "kd:beta=1", "kt"] {
      #expect(throws: CompressionError.self) {
        try DistillationLosses.family.method(for: MethodChoice(parsing: text))
      }
    }
  }
}
