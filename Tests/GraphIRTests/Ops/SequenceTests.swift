// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Operators on elements and sequences")
struct SequenceTests {
  @Test("Bits are read as another type of the same width")
  func bits() throws {
    #expect(try BitCast(to: .int32).result(floats([1])) == Tensor([Int32(0x3f80_0000)], shape: [1]))
    #expect(throws: OpError.self) { try BitCast(to: .int64).result(floats([1])) }
  }

  @Test("Compression keeps the slices whose condition holds")
  func compress() throws {
    let x = counting([2, 3])
    let condition = Tensor([UInt8(0), 1], shape: [2]).converted(to: .bool)
    #expect(try Compress(axis: 1).result(x, condition) == floats([1, 4], [2, 1]))
    #expect(try Compress().result(x, condition) == floats([1]))
    #expect(throws: OpError.self) {
      try Compress(axis: 1).result(
        x, Tensor([UInt8](repeating: 1, count: 4), shape: [4]).converted(to: .bool))
    }
  }

  @Test("Sequences are reversed as far as they go")
  func reverse() throws {
    let x = counting([3, 2])
    #expect(
      try ReverseSequence().result(x, list(3, 2)) == floats([4, 3, 2, 1, 0, 5], [3, 2]))
    #expect(throws: OpError.self) { try ReverseSequence().result(x, list(4, 1)) }
    #expect(throws: OpError.self) {
      try ReverseSequence(batchAxis: 1, timeAxis: 1).result(x, list(1, 1))
    }
  }

  @Test("A cache takes new elements where its samples are")
  func cache() throws {
    let past = Tensor(zerosOf: .float32, shape: [2, 3, 1])
    let update = floats([1, 2, 3, 4], [2, 2, 1])
    #expect(
      try TensorScatter().result(past, update, list(0, 1))
        == floats([1, 2, 0, 0, 3, 4], [2, 3, 1]))
    #expect(
      try TensorScatter(wrapsAround: true).result(past, update, list(2, 0))
        == floats([2, 0, 1, 3, 4, 0], [2, 3, 1]))
    #expect(throws: OpError.self) { try TensorScatter().result(past, update, list(2, 0)) }
    #expect(throws: OpError.self) { try TensorScatter(axis: 0).result(past, update) }
  }

  @Test("Determinants, those of singular matrices too")
  func determinants() throws {
    #expect(try Determinant().result(floats([0, 2, 3, 4], [2, 2])) == floats([-6], []))
    #expect(
      try Determinant().result(floats([1, 2, 2, 4, 2, 0, 0, 2], [2, 2, 2])) == floats([0, 4]))
    #expect(throws: OpError.self) { try Determinant().result(counting([2, 3])) }
  }

  @Test("Each element once, sorted or in order, and slices too")
  func unique() throws {
    let op = Unique()
    let outputs = try op.evaluate([floats([2, 1, 2])], outputCount: 4)
    #expect(outputs == [floats([1, 2]), list(1, 0), list(1, 0, 1), list(1, 2)])
    let first = try Unique(sorts: false).evaluate([floats([2, 1, 2])], outputCount: 2)
    #expect(first == [floats([2, 1]), list(0, 1)])
    let rows = try Unique(axis: 0).evaluate(
      [floats([3, 4, 1, 2, 3, 4], [3, 2])], outputCount: 1)
    #expect(rows == [floats([1, 2, 3, 4], [2, 2])])
    let negative = try op.evaluate([floats([-0.0, 0, -1])], outputCount: 1)[0]
    #expect(negative.floats() == [-1, 0])
    #expect(throws: OpError.self) { try Unique(axis: 1).evaluate([list(1)], outputCount: 1) }
  }

  @Test("Running products")
  func products() throws {
    let op = CumSum(multiplies: true)
    let axis = Tensor(scalar: Int64(0))
    #expect(try op.result(floats([1, 2, 3]), axis) == floats([1, 2, 6]))
    let exclusive = CumSum(isExclusive: true, isReversed: true, multiplies: true)
    #expect(try exclusive.result(list(1, 2, 3), axis) == list(6, 3, 1))
  }
}
