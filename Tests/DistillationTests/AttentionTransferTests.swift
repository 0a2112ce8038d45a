// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import Distillation
import TensorCore
import Testing

@Suite("Attention transfer")
struct AttentionTransferTests {
  private let student = Tensor([1, 0, 2, 1, 0, 1, 1, 1] as [Float], shape: [1, 2, 2, 2])
  private let teacher = Tensor(
    [2, 1, 0, 1, 1, 1, 3, 0, 0, 2, 1, 1] as [Float], shape: [1, 3, 2, 2])

  @Test("The worked example: squares, two against three channels")
  func squares() throws {
    let probe = try LossProbe(AttentionTransfer(power: 2), [(student, teacher)])
    #expect(agree(try probe.value(), 0.045577))
  }

  @Test("Magnitudes: maps (1, 1, 3, 2) and (3, 4, 4, 2) at unit length")
  func magnitudes() throws {
    // (1 − 3/√45 …): Σ over four places of (a/√15 − b/√45)², over 4.
    let lengths = (15.0.squareRoot(), 45.0.squareRoot())
    let wanted =
      zip([1.0, 1, 3, 2], [3.0, 4, 4, 2]).map { a, b in
        (a / lengths.0 - b / lengths.1) * (a / lengths.0 - b / lengths.1)
      }.reduce(0, +) / 4
    let probe = try LossProbe(AttentionTransfer(power: 1), [(student, teacher)])
    #expect(agree(try probe.value(), wanted))
  }

  @Test("A larger map is averaged down first, evenly or not")
  func sizes() throws {
    let wide = drawn([2, 3, 5, 4], seed: 3)
    for places in [[5, 2], [3, 2], [2, 3]] {
      let small = drawn([2, 4] + places, seed: 4)
      let probe = try LossProbe(AttentionTransfer(), [(wide, small)])
      let averaged = Self.adaptiveAverage(wide, to: places)
      let direct = try LossProbe(AttentionTransfer(), [(averaged, small)])
      #expect(agree(try probe.value(), try direct.value()), "\(places)")
    }
  }

  /// The mean over rows ⌊i h / h′⌋ ..< ⌈(i + 1) h / h′⌉ and the like columns.
  private static func adaptiveAverage(_ x: Tensor, to places: [Int]) -> Tensor {
    let (maps, h, w) = (x.shape[0] * x.shape[1], x.shape[2], x.shape[3])
    let values = x.floats()
    var result: [Float] = []
    for map in 0..<maps {
      for i in 0..<places[0] {
        for j in 0..<places[1] {
          var (sum, count) = (0.0, 0.0)
          for y in i * h / places[0]..<((i + 1) * h + places[0] - 1) / places[0] {
            for x in j * w / places[1]..<((j + 1) * w + places[1] - 1) / places[1] {
              sum += Double(values[(map * h + y) * w + x])
              count += 1
            }
          }
          result.append(Float(sum / count))
        }
      }
    }
    return Tensor(result, shape: Array(x.shape.prefix(2)) + places)
  }

  @Test("Options come from the command line, and wrong ones are refused")
  func options() throws {
    let loss = try DistillationLosses.family.method(
      for: MethodChoice(parsing: "at:beta=10,p=1,student=a+b,teacher=/relu/"))
    #expect(loss.weight == 10)
    #expect((loss as? AttentionTransfer)?.power == 1)
    #expect(loss.taps == FeatureTaps(student: .names(["a", "b"]), teacher: .pattern("relu")))
    for text in ["at:p=3", "at:beta=-1", "at:student=/(/"] {
      #expect(throws: CompressionError.self) {
        try DistillationLosses.family.method(for: MethodChoice(parsing: text))
      }
    }
  }
}
