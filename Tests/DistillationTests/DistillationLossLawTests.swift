// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import Distillation
import GraphIR
import TensorCore
import Testing

@Suite("Laws of every distillation loss")
struct DistillationLossLawTests {
  static let names = DistillationLosses.family.cards.map(\.name)

  /// The loss with its defaults, ready for use on three channels.
  private func loss(_ name: String) throws -> any DistillationLoss {
    let made = try DistillationLosses.family.method(for: MethodChoice(name))
    return made is any PreparedDistillationLoss ? FactorTransferTests.prepared() : made
  }

  private func pair(
    _ loss: any DistillationLoss, seed: UInt64
  ) -> (student: Tensor, teacher: Tensor) {
    let shape = loss.taps == nil ? [4, 3] : [4, 3, 4, 4]
    return (drawn(shape, seed: seed), drawn(shape, seed: seed + 1000))
  }

  @Test("It is never negative but for rounding", arguments: names)
  func sign(name: String) throws {
    let loss = try loss(name)
    for seed in 1...5 as ClosedRange<UInt64> {
      #expect(try LossProbe(loss, [pair(loss, seed: seed)]).value() > 0, "seed \(seed)")
    }
  }

  @Test(
    "It is zero for identical features, where nothing trained stands between", arguments: names)
  func zero(name: String) throws {
    let loss = try loss(name)
    let x = pair(loss, seed: 3).student
    let probe = try LossProbe(loss, [(x, x)])
    let between = probe.graph.inputs.map { probe.graph[$0].name }
      .filter { $0.hasSuffix("/weight") }
    if between.isEmpty {
      #expect(try probe.value() == 0)
    } else if name == "hint" {
      let same = Tensor([1, 0, 0, 0, 1, 0, 0, 0, 1] as [Float], shape: [3, 3, 1, 1])
      let zeros = Tensor(zerosOf: .float32, shape: [3])
      #expect(
        try probe.value(["hint/0/regressor/weight": same, "hint/0/regressor/bias": zeros]) == 0)
    } else {
      // The translator with the paraphraser's weights.
      var same: [String: Tensor] = [:]
      for layer in 0..<3 {
        for part in ["weight", "bias"] {
          let id = try #require(
            probe.graph.value(named: "paraphraser/0/encoder/\(layer)/\(part)"))
          same["ft/0/translator/\(layer)/\(part)"] = probe.graph[id].constant
        }
      }
      #expect(try probe.value(same) == 0)
    }
  }

  @Test("Its gradient by the student's values agrees with finite differences", arguments: names)
  func gradient(name: String) throws {
    let loss = try loss(name)
    let pair = pair(loss, seed: 7)
    let probe = try LossProbe(loss, [pair])
    let gradient = try probe.gradient(by: probe.students[0])
    let values = pair.student.floats()
    let greatest = gradient.map { abs($0) }.max() ?? 0
    #expect(greatest > 0)
    for index in stride(from: 0, to: values.count, by: max(values.count / 12, 1)) {
      let losses = try [0x1p-9, -0x1p-9].map { step in
        var moved = values
        moved[index] += Float(step)
        return try probe.value(["s0": Tensor(moved, shape: pair.student.shape)])
      }
      // Losses near 1 in float32 have errors of 2⁻²⁴ or so, which a step of 2⁻⁹ makes 2⁻¹⁴; the
      // second derivative of a kink between the two points adds a few percent of the slope.
      let expected = (losses[0] - losses[1]) / 0x1p-8
      #expect(
        abs(gradient[index] - expected) <= 0x1p-13 + 0.05 * greatest,
        "[\(index)]: \(gradient[index]), differences give \(expected), seed 7")
    }
  }

  @Test("Several pairs add up", arguments: names)
  func sum(name: String) throws {
    let loss = try loss(name)
    let (first, second) = (pair(loss, seed: 1), pair(loss, seed: 2))
    let both = try LossProbe(loss, [first, second])
    guard both.graph.inputs.allSatisfy({ !both.graph[$0].name.hasSuffix("/weight") }) else {
      // Each pair has random parameters of its own.
      return #expect(try both.value() > 0)
    }
    let parts = try [first, second].map { try LossProbe(loss, [$0]).value() }
    #expect(agree(try both.value(), parts[0] + parts[1]))
  }

  @Test("Its card is whole", arguments: names)
  func card(name: String) throws {
    let card = try #require(DistillationLosses.family.cards.first { $0.name == name })
    #expect(!card.summary.isEmpty)
    #expect(!card.paper.isEmpty)
    #expect(Self.names.count { $0 == name } == 1)
  }
}
