// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Operators that order and sum along an axis, and diagonals")
struct OrderingTests {
  @Test("TopK takes the lower index first where elements are equal")
  func topK() throws {
    let x = floats([1, 3, 3, 2, 5, 0], [2, 3])
    let outputs = try TopK().results([x, list(2)], count: 2)
    #expect(outputs[0] == floats([3, 3, 5, 2], [2, 2]))
    #expect(outputs[1] == Tensor([Int64(1), 2, 1, 0], shape: [2, 2]))
    let least = try TopK(axis: 0, selectsLargest: false).results([x, list(1)], count: 2)
    #expect(least[0] == floats([1, 3, 0], [1, 3]))
    #expect(least[1] == Tensor([Int64(0), 0, 1], shape: [1, 3]))
    #expect(try TopK().result(x, list(0)).shape == [2, 0])
    #expect(throws: OpError.self) { try TopK().result(x, list(4)) }
    #expect(throws: OpError.self) { try TopK().result(x, list(-1)) }
    #expect(throws: OpError.self) { try TopK().result(x, list(1, 1)) }
  }

  @Test("TopK compares 64-bit integers exactly")
  func topKIntegers() throws {
    let large = Tensor([UInt64.max, 1, UInt64.max - 1], shape: [3])
    #expect(
      try TopK().result(large, list(2)) == Tensor([UInt64.max, UInt64.max - 1], shape: [2]))
    let signed = list(.min, .max, 0)
    #expect(try TopK(selectsLargest: false).result(signed, list(2)) == list(.min, 0))
  }

  @Test("CumSum sums from either end, with the element or without")
  func cumSum() throws {
    let x = floats([1, 2, 3])
    let axis = Tensor(scalar: Int32(0))
    #expect(try CumSum().result(x, axis) == floats([1, 3, 6]))
    #expect(try CumSum(isExclusive: true).result(x, axis) == floats([0, 1, 3]))
    #expect(try CumSum(isReversed: true).result(x, axis) == floats([6, 5, 3]))
    let both = CumSum(isExclusive: true, isReversed: true)
    #expect(try both.result(x, axis) == floats([5, 3, 0]))
    #expect(try CumSum().result(counting([2, 2]), axis) == floats([0, 1, 2, 4], [2, 2]))
    #expect(throws: OpError.self) { try CumSum().result(x, Tensor(scalar: Int32(1))) }
  }

  @Test("Trilu keeps one triangle, moved by k")
  func trilu() throws {
    let x = counting([3, 3], .int8)
    let upper = try Trilu().result(x)
    #expect(upper == Tensor([Int8(0), 1, 2, 0, 4, 5, 0, 0, 8], shape: [3, 3]))
    let lower = try Trilu(isUpper: false).result(x, Tensor(scalar: Int64(-1)))
    #expect(lower == Tensor([Int8(0), 0, 0, 3, 0, 0, 6, 7, 0], shape: [3, 3]))
    #expect(try Trilu().result(x, Tensor(scalar: Int64.min)) == x)
    #expect(throws: OpError.self) { try Trilu().result(counting([3])) }
  }

  @Test("NonZero lists positions in columns, and EyeLike draws a diagonal")
  func diagonals() throws {
    let x = floats([0, 1, 2, 0, 0, 3], [2, 3])
    #expect(try NonZero().result(x) == Tensor([Int64(0), 0, 1, 1, 2, 2], shape: [2, 3]))
    let eye = try EyeLike(elementType: .int64, offset: 1).result(x)
    #expect(eye == Tensor([Int64(0), 1, 0, 0, 0, 1], shape: [2, 3]))
    #expect(try EyeLike(offset: .max).result(x) == Tensor(zerosOf: .float32, shape: [2, 3]))
  }
}
