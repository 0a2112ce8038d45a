// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Operators that select elements")
struct SelectionTests {
  @Test("Concat joins along any axis and any type", arguments: ElementType.allCases)
  func concat(type: ElementType) throws {
    let a = Tensor(integers: [1, 0], shape: [2, 1], elementType: type)
    let b = Tensor(integers: [0, 1, 1, 0], shape: [2, 2], elementType: type)
    let result = try Concat(axis: -1).result(a, b)
    #expect(result == Tensor(integers: [1, 0, 1, 0, 1, 0], shape: [2, 3], elementType: type))
  }

  @Test("Concat adds extents, keeps symbols, and refuses what does not fit")
  func concatTypes() throws {
    let n = Dimension.symbol("N")
    let type = try Concat(axis: 1).type(operand(.float32, n, 3, 2), operand(.float32, n, 4, 2))
    #expect(type?.description == "float32 N×7×2")
    #expect(throws: OpError.self) {
      try Concat(axis: 1).type(operand(.float32, n, 3, 2), operand(.float32, n, 3, 4))
    }
    #expect(throws: OpError.self) { try Concat(axis: 1).result(counting([2]), counting([2])) }
    #expect(throws: OpError.self) { try Concat(axis: 0).result(counting([2]), list(1)) }
  }

  @Test("Split cuts equal parts, the last one shorter, or the given lengths")
  func split() throws {
    let data = counting([2, 5])
    let equal = try Split(axis: 1).results([data], count: 2)
    #expect(equal == [floats([0, 1, 2, 5, 6, 7], [2, 3]), floats([3, 4, 8, 9], [2, 2])])
    let given = try Split(axis: -1).results([data, list(1, 0, 4)], count: 3)
    #expect(given.map(\.shape) == [[2, 1], [2, 0], [2, 4]])
    #expect(given[2] == floats([1, 2, 3, 4, 6, 7, 8, 9], [2, 4]))
    #expect(throws: OpError.self) { try Split(axis: 1).results([data, list(1, 2)], count: 2) }
    #expect(throws: OpError.self) { try Split(axis: 1).results([data, list(-1, 6)], count: 2) }
    #expect(throws: OpError.self) { try Split(axis: 2).results([data], count: 2) }
  }

  @Test(
    "Slice clamps starts and ends and walks backwards",
    arguments: [
      ([1], [3], [0], [1], [1, 2]), ([0], [.max], [0], [2], [0, 2, 4]),
      ([-2], [.max], [0], [1], [3, 4]), ([-1], [.min], [0], [-1], [4, 3, 2, 1, 0]),
      ([10], [-10], [0], [-2], [4, 2, 0]), ([3], [0], [0], [-1], [3, 2, 1]),
      ([3], [1], [0], [1], []), ([-100], [100], [-1], [1], [0, 1, 2, 3, 4]),
      ([1], [5], [0], [.max], [1]), ([4], [.min], [0], [.min], [4]), ([7], [9], [0], [1], []),
    ] as [([Int64], [Int64], [Int64], [Int64], [Float])])
  func slice(
    start: [Int64], end: [Int64], axis: [Int64], step: [Int64], expected: [Float]
  ) throws {
    let result = try Slice().result(
      counting([5]), list(start[0]), list(end[0]), list(axis[0]), list(step[0]))
    #expect(result == floats(expected))
  }

  @Test("Slice without axes cuts the first ones")
  func sliceDefaults() throws {
    let result = try Slice().result(counting([2, 3, 2]), list(1, 1), list(2, 3))
    #expect(result == floats([8, 9, 10, 11], [1, 2, 2]))
    #expect(throws: OpError.self) {
      try Slice().result(counting([2]), list(0), list(1), list(0), list(0))
    }
    #expect(throws: OpError.self) {
      try Slice().result(counting([2]), list(0, 0), list(1, 1), list(0, 0))
    }
    #expect(throws: OpError.self) { try Slice().result(counting([2]), list(0), list(1), list(1)) }
  }

  @Test("Slice reverses packed elements")
  func sliceOfPacked() throws {
    let data = Tensor(integers: [-8, 7, 1, -2, 3], shape: [5], elementType: .int4)
    let result = try Slice().result(data, list(-1), list(.min), list(0), list(-2))
    #expect(result == Tensor(integers: [3, 1, -8], shape: [3], elementType: .int4))
  }

  @Test("Slice keeps the symbol of an axis that it does not cut")
  func symbolicSlice() throws {
    let type = try Slice().type(
      operand(.float32, .symbol("N"), 8, 4), Operand(list(0, 0)), Operand(list(.max, 4)),
      Operand(list(0, 1)))
    #expect(type?.description == "float32 N×4×4")
  }

  @Test("Gather takes slices, counts negative indices from the end, and checks all")
  func gather() throws {
    let data = counting([3, 2])
    let rows = try Gather().result(data, Tensor([Int64(2), 0, -1, 1], shape: [2, 2]))
    #expect(rows == floats([4, 5, 0, 1, 4, 5, 2, 3], [2, 2, 2]))
    let column = try Gather(axis: 1).result(data, Tensor(scalar: Int32(1)))
    #expect(column == floats([1, 3, 5]))
    #expect(throws: OpError.self) { try Gather().result(data, list(3)) }
    #expect(throws: OpError.self) { try Gather().result(data, list(.min)) }
    #expect(throws: OpError.self) { try Gather().result(data, floats([1])) }
  }

  @Test(
    "Pad repeats the border as its mode says",
    arguments: [
      (.constant, [9, 9, 0, 1, 2, 9]), (.edge, [0, 0, 0, 1, 2, 2]),
      (.reflect, [2, 1, 0, 1, 2, 1]), (.wrap, [1, 2, 0, 1, 2, 0]),
    ] as [(Pad.Mode, [Float])])
  func pad(mode: Pad.Mode, expected: [Float]) throws {
    let result = try Pad(mode: mode).result(
      counting([3]), list(2, 1), Tensor(scalar: Float(9)))
    #expect(result == floats(expected))
  }

  @Test("Pad crops where it is negative, and pads only the listed axes")
  func padAxes() throws {
    let data = counting([2, 3])
    let result = try Pad().result(data, list(-1, 1), nil, list(-1))
    #expect(result == floats([1, 2, 0, 4, 5, 0], [2, 3]))
    let turned = try Pad(mode: .reflect).result(data, list(0, -1, 0, 1))
    #expect(turned == floats([1, 2, 1, 4, 5, 4], [2, 3]))
    #expect(throws: OpError.self) { try Pad().result(data, list(0, -4, 0, 0)) }
    #expect(throws: OpError.self) { try Pad().result(data, list(0, 1)) }
    #expect(throws: OpError.self) { try Pad().result(data, list(.max, 0, .max, 0)) }
    #expect(throws: OpError.self) { try Pad(mode: .edge).result(counting([0]), list(1, 0)) }
  }

  @Test("Pad fills packed types too")
  func padPacked() throws {
    let data = Tensor(integers: [1, 2, 3], shape: [3], elementType: .uint4)
    let fill = Tensor(integers: [15], shape: [], elementType: .uint4)
    let result = try Pad().result(data, list(1, 1), fill)
    #expect(result == Tensor(integers: [15, 1, 2, 3, 15], shape: [5], elementType: .uint4))
  }
}
