// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Reductions follow their definitions")
struct ReductionTests {
  let matrix = floats([1, -2, 3, 4], [2, 2])

  @Test(
    "Each function reduces rows as worked by hand",
    arguments: [
      (.sum, [-1, 7]), (.mean, [-0.5, 3.5]), (.maximum, [1, 4]), (.minimum, [-2, 3]),
      (.product, [-2, 12]), (.l1, [3, 7]), (.l2, [2.236068, 5]), (.sumOfSquares, [5, 25]),
      (.logSumExp, [1.0485873, 4.3132617]),
    ] as [(Reduce.Function, [Float])])
  func rows(function: Reduce.Function, expected: [Float]) throws {
    let result = try Reduce(function, keepsDimensions: false).result(matrix, list(-1))
    #expect(result.shape == [2])
    for (found, wanted) in zip(result.floats(), expected) {
      // One unit in the last place of the printed eight digits.
      #expect(abs(found - wanted) <= 1e-6 * max(1, abs(wanted)))
    }
  }

  @Test("No axes mean all, or none if the attribute says so")
  func noAxes() throws {
    #expect(try Reduce(.sum).result(matrix) == floats([6], [1, 1]))
    #expect(try Reduce(.sum, keepsDimensions: false).result(matrix) == floats([6], []))
    #expect(try Reduce(.sum).result(matrix, Tensor([Int64](), shape: [0])) == floats([6], [1, 1]))
    #expect(try Reduce(.sum, emptyAxesMeanNone: true).result(matrix) == matrix)
    #expect(
      try Reduce(.sumOfSquares, emptyAxesMeanNone: true).result(matrix)
        == floats([1, 4, 9, 16], [2, 2]))
  }

  @Test("Reducing the middle axis of three")
  func middle() throws {
    let x = counting([2, 3, 2])
    #expect(try Reduce(.sum).result(x, list(1)) == floats([6, 9, 24, 27], [2, 1, 2]))
    #expect(
      try Reduce(.maximum, keepsDimensions: false).result(x, list(0, 2)) == floats([7, 9, 11]))
  }

  @Test("Nothing reduces to the neutral element")
  func empty() throws {
    let none = counting([2, 0])
    #expect(try Reduce(.sum).result(none, list(1)).floats() == [0, 0])
    #expect(try Reduce(.product).result(none, list(1)).floats() == [1, 1])
    #expect(try Reduce(.maximum).result(none, list(1)).floats() == [-.infinity, -.infinity])
    #expect(try Reduce(.minimum).result(none, list(1)).floats() == [.infinity, .infinity])
    #expect(try Reduce(.logSumExp).result(none, list(1)).floats() == [-.infinity, -.infinity])
    #expect(try Reduce(.sum).result(none, list(0)).shape == [1, 0])
    #expect(try Reduce(.maximum).result(counting([0], .int8)).integers() == [-128])
    let vast = counting([0, 1 << 40])
    #expect(try Reduce(.sum).result(vast, list(1)).shape == [0, 1])
    #expect(try Reduce(.sum).result(vast).floats() == [0])
  }

  @Test("Integers wrap, and means and roots are cut toward zero")
  func integers() throws {
    let x = Tensor([Int32(-3), -4], shape: [2])
    #expect(try Reduce(.mean).result(x) == Tensor([Int32(-3)], shape: [1]))
    #expect(try Reduce(.l2).result(x) == Tensor([Int32(5)], shape: [1]))
    #expect(try Reduce(.l1).result(x) == Tensor([Int32(7)], shape: [1]))
    let large = Tensor([UInt64.max, 1], shape: [2])
    #expect(try Reduce(.maximum).result(large) == Tensor([UInt64.max], shape: [1]))
    #expect(try Reduce(.minimum).result(large) == Tensor([UInt64(1)], shape: [1]))
    #expect(try Reduce(.sum).result(large) == Tensor([UInt64(0)], shape: [1]))
    #expect(try Reduce(.maximum).result(counting([2], .bool)).bytes == [1])
    #expect(throws: OpError.self) { try Reduce(.sum).result(counting([2], .int8)) }
  }

  @Test("NaN is not hidden by greater elements")
  func notANumber() throws {
    let x = floats([1, .nan, 2])
    #expect(try Reduce(.maximum).result(x).floats()[0].isNaN)
    #expect(try Reduce(.minimum).result(x).floats()[0].isNaN)
    #expect(try Reduce(.logSumExp).result(floats([.infinity, 0])).floats() == [.infinity])
  }

  @Test("Types follow from constant axes, and keep the rank without them")
  func types() throws {
    let x = operand(.float32, .symbol("N"), 3, .unknown)
    let axes = Operand(list(-1, 1))
    #expect(try Reduce(.mean).type(x, axes)?.description == "float32 N×1×1")
    #expect(try Reduce(.mean, keepsDimensions: false).type(x, axes)?.description == "float32 N")
    let open = operand(.int64, 2)
    #expect(try Reduce(.mean).type(x, open)?.description == "float32 ?×?×?")
    #expect(try Reduce(.mean, keepsDimensions: false).type(x, open)?.description == "float32 ?")
  }

  @Test("Axes out of range or given twice are errors")
  func errors() {
    #expect(throws: OpError.self) { try Reduce(.sum).result(matrix, list(2)) }
    #expect(throws: OpError.self) { try Reduce(.sum).result(matrix, list(1, -1)) }
    #expect(throws: OpError.self) { try Reduce(.sum).result(matrix, floats([1])) }
    #expect(throws: OpError.self) { try Reduce(.sum).result(matrix, counting([1, 1], .int64)) }
  }
}

@Suite("ArgMax and ArgMin follow their definition")
struct ArgExtremeTests {
  let x = floats([1, 3, 3, 2, 0, 0], [2, 3])

  @Test("The first or the last of equal extremes")
  func ties() throws {
    #expect(
      try ArgExtreme(isMaximum: true, axis: 1).result(x) == Tensor([Int64(1), 0], shape: [2, 1]))
    #expect(
      try ArgExtreme(isMaximum: true, axis: -1, keepsDimensions: false, selectsLast: true).result(x)
        == list(2, 0))
    #expect(
      try ArgExtreme(isMaximum: false, axis: 1, keepsDimensions: false, selectsLast: true).result(x)
        == list(0, 2))
    #expect(
      try ArgExtreme(isMaximum: false, axis: 0, keepsDimensions: false).result(x) == list(0, 1, 1))
  }

  @Test("Unsigned integers compare as such, and NaN is found first")
  func specialValues() throws {
    let op = ArgExtreme(isMaximum: true)
    #expect(try op.result(Tensor([UInt64(1), .max], shape: [2])) == list(1))
    #expect(try op.result(floats([5, .nan, 9])) == list(1))
  }

  @Test("An empty axis and an axis out of range are errors")
  func errors() {
    #expect(throws: OpError.self) { try ArgExtreme(isMaximum: true).result(counting([0, 2])) }
    #expect(throws: OpError.self) { try ArgExtreme(isMaximum: true, axis: 2).result(x) }
  }
}
