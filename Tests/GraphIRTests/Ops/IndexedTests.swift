// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Operators that read and write elements by index")
struct IndexedTests {
  @Test("GatherElements reads along one axis, negative indices from the end")
  func gatherElements() throws {
    let data = floats([1, 2, 3, 4], [2, 2])
    let indices = Tensor([Int64(0), 0, -1, 0], shape: [2, 2])
    #expect(try GatherElements(axis: 1).result(data, indices) == floats([1, 1, 4, 3], [2, 2]))
    let short = Tensor([Int64(1), 0], shape: [1, 2])
    #expect(try GatherElements().result(data, short) == floats([3, 2], [1, 2]))
    #expect(throws: OpError.self) { try GatherElements().result(data, list(0)) }
    #expect(throws: OpError.self) {
      try GatherElements().result(data, Tensor([Int64(2), 0], shape: [1, 2]))
    }
    #expect(throws: OpError.self) {
      try GatherElements().result(data, Tensor([Int64](repeating: 0, count: 3), shape: [1, 3]))
    }
  }

  @Test("GatherND reads elements, slices and batches")
  func gatherND() throws {
    let data = counting([2, 2, 2])
    let elements = Tensor([Int64(0), 1, 1, 1, 0, -1], shape: [2, 3])
    #expect(try GatherND().result(data, elements) == floats([3, 5]))
    let slices = Tensor([Int64(0), 1, 1, 0], shape: [2, 1, 2])
    #expect(try GatherND().result(data, slices) == floats([2, 3, 4, 5], [2, 1, 2]))
    let batches = Tensor([Int64(1), 0], shape: [2, 1])
    #expect(
      try GatherND(batchDimensions: 1).result(data, batches) == floats([2, 3, 4, 5], [2, 2]))
    #expect(throws: OpError.self) {
      try GatherND().result(data, Tensor([Int64(0), 0, 0, 0], shape: [1, 4]))
    }
    #expect(throws: OpError.self) { try GatherND().result(data, list(2)) }
    #expect(throws: OpError.self) { try GatherND(batchDimensions: 1).result(data, list(0, 1)) }
  }

  @Test(
    "ScatterElements combines as its reduction says",
    arguments: [
      (.none, [1, 5, 3]), (.add, [1, 11, 3]), (.multiply, [1, 40, 3]), (.minimum, [1, 2, 3]),
      (.maximum, [1, 5, 3]),
    ] as [(ScatterReduction, [Float])])
  func scatterElements(reduction: ScatterReduction, expected: [Float]) throws {
    let op = ScatterElements(reduction: reduction)
    let result = try op.result(floats([1, 2, 3]), list(1, -2), floats([4, 5]))
    #expect(result == floats(expected))
    #expect(throws: OpError.self) { try op.result(floats([1]), list(1), floats([4])) }
    #expect(throws: OpError.self) { try op.result(floats([1]), list(0), floats([4, 5])) }
    #expect(throws: OpError.self) { try op.result(floats([1]), list(0), list(4)) }
  }

  @Test("ScatterND writes slices of any type", arguments: ElementType.allCases)
  func scatterND(type: ElementType) throws {
    let data = Tensor(zerosOf: type, shape: [3, 2])
    let updates = Tensor(integers: [1, 0, 0, 1], shape: [2, 2], elementType: type)
    let result = try ScatterND().result(
      data, Tensor([Int64(2), 0], shape: [2, 1]), updates)
    #expect(result == Tensor(integers: [0, 1, 0, 0, 1, 0], shape: [3, 2], elementType: type))
  }

  @Test("ScatterND adds updates of one element one after another")
  func scatterNDAdds() throws {
    let indices = Tensor([Int64(1), 1], shape: [2, 1])
    let result = try ScatterND(reduction: .add).result(list(5, 6), indices, list(1, 2))
    #expect(result == list(5, 9))
  }

  @Test("OneHot puts the new axis where it is told and leaves out what is out of range")
  func oneHot() throws {
    let values = floats([-1, 1])
    let depth = Tensor(scalar: Int64(3))
    let last = try OneHot().result(list(1, -1, 5), depth, values)
    #expect(last == floats([-1, 1, -1, -1, -1, 1, -1, -1, -1], [3, 3]))
    let first = try OneHot(axis: 0).result(list(1, 0), depth, values)
    #expect(first == floats([-1, 1, 1, -1, -1, -1], [3, 2]))
    #expect(throws: OpError.self) {
      try OneHot().result(list(1), Tensor(scalar: Int64(-1)), values)
    }
    #expect(throws: OpError.self) { try OneHot().result(list(1), depth, floats([1])) }
  }

  @Test("Einsum multiplies, transposes, sums, takes diagonals and broadcasts the ellipsis")
  func einsum() throws {
    let a = counting([2, 3])
    let b = counting([3, 2])
    let product = try Einsum(equation: "ij, jk -> ik").result(a, b)
    #expect(product == floats([10, 13, 28, 40], [2, 2]))
    #expect(try Einsum(equation: "ji").result(a) == Transpose().result(a))
    #expect(try Einsum(equation: "ij->i").result(a) == floats([3, 12]))
    #expect(try Einsum(equation: "ii->i").result(counting([3, 3])) == floats([0, 4, 8]))
    #expect(try Einsum(equation: "ii").result(counting([3, 3])) == floats([12], []))
    let batched = try Einsum(equation: "...ij,...jk->...ik").result(
      counting([2, 1, 2]), counting([2, 1]))
    #expect(batched == floats([1, 3], [2, 1, 1]))
    let type = try Einsum(equation: "bij,bkj->bik").type(
      operand(.float32, .symbol("N"), 3, 4), operand(.float32, .symbol("N"), 5, 4))
    #expect(type?.description == "float32 N×3×5")
  }

  @Test(
    "Einsum refuses equations that do not fit",
    arguments: ["ij->k", "ij,jk->ik", "ijk->i", "i1->i", "ij->ii", "i->j->k", "......->"])
  func einsumErrors(equation: String) {
    #expect(throws: OpError.self) { try Einsum(equation: equation).result(counting([2, 3])) }
  }
}
