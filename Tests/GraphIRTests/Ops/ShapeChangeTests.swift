// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Operators that change the shape keep the elements")
struct ShapeChangeTests {
  private static let n = Dimension.symbol("N")

  @Test("Reshape copies extents for 0 and infers -1")
  func reshape() throws {
    let data = counting([2, 3, 4])
    #expect(try Reshape().result(data, list(0, -1)).shape == [2, 12])
    #expect(try Reshape().result(data, list(-1, 0, 2)).shape == [4, 3, 2])
    #expect(
      try Reshape().result(data, list(24)).elements() == counting([24]).elements(as: Float.self))
    #expect(try Reshape().result(counting([1]), Tensor([Int64](), shape: [0])).shape == [])
    #expect(try Reshape(allowsZero: true).result(counting([0, 3]), list(3, 0)).shape == [3, 0])
  }

  @Test(
    "Reshape refuses shapes that do not fit",
    arguments: [[5], [-1, 5], [-1, -1], [-2, 3], [2, 3, 4, 0], [.max, .max, 4], [0, 0, 0, 0]]
      as [[Int64]])
  func reshapeErrors(shape: [Int64]) {
    let target = Tensor(shape, shape: [shape.count])
    #expect(throws: OpError.self) { try Reshape().result(counting([2, 3, 4]), target) }
  }

  @Test(
    "Reshape finds the open extent where symbols cancel",
    arguments: [
      ([n, 16, 4, 4], [n, -1], [n, 256]), ([n, 16, 4, 4], [0, -1], [n, 256]),
      ([n, 16, 4, 4], [-1, 256], [n, 256]), ([n, 16, 4, 4], [.unknown, 256], [n, 256]),
      ([.unknown, 16, 4, 4], [0, -1], [.unknown, 256]),
      ([n, 16, 4, 4], [-1, 128], [.unknown, 128]), ([n, 8], [n, 2, 4], [n, 2, 4]),
      ([n, 6, .symbol("H")], [n, 2, 3, -1], [n, 2, 3, .symbol("H")]),
      ([2, 3], [.unknown, 3], [2, 3]), ([n, 4], [-1], [.unknown]),
    ] as [([Dimension], [Dimension], [Dimension])])
  func symbolicReshape(data: [Dimension], target: [Dimension], expected: [Dimension]) throws {
    let shape = Operand(type: TensorType(.int64, [.fixed(target.count)]), contents: target)
    let type = try Reshape().type(Operand(type: TensorType(.float32, data)), shape)
    #expect(type?.dimensions == expected)
  }

  @Test("Flatten keeps the batch symbol at axis 1 and takes axes up to the rank")
  func flatten() throws {
    let x = operand(.float32, .symbol("N"), 16, 4, 4)
    #expect(try Flatten().type(x)?.description == "float32 N×256")
    #expect(try Flatten(axis: 0).result(counting([2, 3])).shape == [1, 6])
    #expect(try Flatten(axis: 2).result(counting([2, 3])).shape == [6, 1])
    #expect(try Flatten(axis: -1).result(counting([2, 3, 4])).shape == [6, 4])
    #expect(throws: OpError.self) { try Flatten(axis: 3).result(counting([2, 3])) }
  }

  @Test("Squeeze and Unsqueeze take negative axes")
  func squeeze() throws {
    let data = counting([1, 3, 1])
    #expect(try Squeeze().result(data).shape == [3])
    #expect(try Squeeze().result(data, list(-1)).shape == [1, 3])
    #expect(throws: OpError.self) { try Squeeze().result(data, list(1)) }
    #expect(try Unsqueeze().result(counting([3]), list(0, -1)).shape == [1, 3, 1])
    #expect(throws: OpError.self) { try Unsqueeze().result(counting([3]), list(0, 0)) }
    #expect(throws: OpError.self) { try Unsqueeze().result(counting([3]), list(9)) }
  }

  @Test("Transpose moves elements of every type", arguments: ElementType.allCases)
  func transpose(type: ElementType) throws {
    let data = Tensor(integers: [1, 0, 1, 1, 0, 0], shape: [2, 3], elementType: type)
    let result = try Transpose().result(data)
    #expect(result == Tensor(integers: [1, 1, 0, 0, 1, 0], shape: [3, 2], elementType: type))
  }

  @Test("Transpose permutes by the list it is given")
  func permutation() throws {
    let result = try Transpose(permutation: [2, 0, 1]).result(counting([2, 2, 3]))
    #expect(result == floats([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11], [3, 2, 2]))
    #expect(throws: OpError.self) { try Transpose(permutation: [0, 0]).result(counting([2, 2])) }
    #expect(throws: OpError.self) { try Transpose(permutation: [0, 5]).result(counting([2, 2])) }
  }

  @Test("The channel shuffle of ShuffleNet interleaves the groups")
  func channelShuffle() throws {
    let view = try Reshape().result(counting([1, 6, 1, 1]), list(1, 2, 3, 1, 1))
    let turned = try Transpose(permutation: [0, 2, 1, 3, 4]).result(view)
    let shuffled = try Reshape().result(turned, list(1, -1, 1, 1))
    #expect(shuffled == floats([0, 3, 1, 4, 2, 5], [1, 6, 1, 1]))
  }

  @Test("Expand broadcasts both ways")
  func expand() throws {
    let result = try Expand().result(floats([1, 2], [2, 1]), list(2, 1, 3))
    #expect(result == floats([1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2], [2, 2, 3]))
    #expect(try Expand().result(counting([3, 2]), list(1)).shape == [3, 2])
    #expect(throws: OpError.self) { try Expand().result(counting([3]), list(2)) }
    #expect(throws: OpError.self) { try Expand().result(counting([1]), list(-1)) }
    #expect(throws: OpError.tooLarge(shape: [1 << 40, 1 << 40])) {
      try Expand().result(counting([1]), list(1 << 40, 1 << 40))
    }
  }

  @Test("Tile repeats whole axes")
  func tile() throws {
    let result = try Tile().result(floats([1, 2, 3, 4], [2, 2]), list(2, 2))
    #expect(
      result == floats([1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4], [4, 4]))
    #expect(try Tile().result(counting([2]), list(0)).shape == [0])
    #expect(throws: OpError.self) { try Tile().result(counting([2]), list(-1)) }
    #expect(throws: OpError.self) { try Tile().result(counting([2]), list(.max)) }
  }

  @Test("Blocks move from depth to space in both orders, and back")
  func depthToSpace() throws {
    let data = counting([1, 8, 1, 1])
    let dcr = try DepthToSpace(blockSize: 2).result(data)
    #expect(dcr == floats([0, 2, 4, 6, 1, 3, 5, 7], [1, 2, 2, 2]))
    let crd = try DepthToSpace(blockSize: 2, order: .columnRowDepth).result(data)
    #expect(crd == counting([1, 2, 2, 2]))
    #expect(try SpaceToDepth(blockSize: 2).result(dcr) == data)
    #expect(try SpaceToDepth(blockSize: 2, order: .columnRowDepth).result(crd) == data)
    #expect(throws: OpError.self) { try DepthToSpace(blockSize: 3).result(data) }
    #expect(throws: OpError.self) { try DepthToSpace(blockSize: 0).result(data) }
    #expect(throws: OpError.self) { try SpaceToDepth(blockSize: 2).result(data) }
  }
}
