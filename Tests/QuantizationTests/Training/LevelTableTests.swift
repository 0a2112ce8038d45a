// SPDX-License-Identifier: Apache-2.0
import GraphIR
import Quantization
import TensorCore
import Testing

@Suite("Tables of levels")
struct LevelTableTests {
  /// To whole numbers, halves upwards.
  static let whole = LevelTable([-2, -1, 0, 1, 2, 3]) { x in
    Float(min(max((Double(x) + 0.5).rounded(.down), -2), 3))
  }

  @Test("find the least value of each level, whatever its sign")
  func least() {
    #expect(Self.whole.least == [-.infinity, -1.5, -0.5, 0.5, 1.5, 2.5])
    let uneven: [Float] = [-3, -1e-30, 0, 1e-30, 7]
    let strict = LevelTable(uneven) { x in uneven.last { $0 <= x } ?? -3 }
    #expect(Array(strict.least.dropFirst()) == Array(uneven.dropFirst()))
    let towardsZero = LevelTable([-1, 0, 1]) { x in x.rounded(.towardZero) }
    #expect(towardsZero.least[1] == Float(-1).nextUp && towardsZero.least[2] == 1)
  }

  @Test("round as what they were made of, and give weights codes from 0")
  func rounded() {
    let x: [Float] = [-9, -1.5, -1.500001, 0.49999997, 0.5, 2.6, 99, .infinity, -.infinity]
    #expect(Self.whole.rounded(x) == [-2, -1, -2, 0, 1, 3, 3, 3, -2])
    let codes = TrainedWeightCodes(rounding: Tensor(x, shape: [9]), to: Self.whole)
    #expect(codes.codes == [0, 1, 0, 2, 3, 5, 5, 5, 0] && codes.range == 0...5)
    #expect(codes.reals(shape: [9]) == Self.whole.rounded(x))
  }

  @Test("of one level round all to it")
  func single() { #expect(LevelTable([4]) { _ in 4 }.rounded([-1, 9]) == [4, 4]) }
}
