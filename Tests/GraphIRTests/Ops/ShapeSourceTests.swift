// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Operators that make shapes and tensors from shapes")
struct ShapeSourceTests {
  @Test("Shape tells a part of the shape, clamped")
  func shape() throws {
    let data = counting([2, 3, 4])
    #expect(try Shape().result(data) == list(2, 3, 4))
    #expect(try Shape(start: -1).result(data) == list(4))
    #expect(try Shape(start: 1, end: -1).result(data) == list(3))
    #expect(try Shape(start: -9, end: 9).result(data) == list(2, 3, 4))
    #expect(try Shape(start: 2, end: 1).result(data).shape == [0])
    #expect(try Size().result(data) == Tensor(scalar: Int64(24)))
  }

  @Test("ConstantOfShape repeats an element of any type", arguments: ElementType.allCases)
  func constantOfShape(type: ElementType) throws {
    let value = Tensor(integers: [1], shape: [1], elementType: type)
    let result = try ConstantOfShape(value: value).result(list(2, 3))
    #expect(
      result == Tensor(integers: [1, 1, 1, 1, 1, 1], shape: [2, 3], elementType: type))
  }

  @Test("ConstantOfShape makes scalars and empty tensors, and refuses what is too large")
  func constantOfShapeEdges() throws {
    #expect(try ConstantOfShape().result(Tensor([Int64](), shape: [0])).shape == [])
    #expect(try ConstantOfShape().result(list(0, 3)).shape == [0, 3])
    #expect(throws: OpError.self) { try ConstantOfShape().result(list(-1)) }
    #expect(throws: OpError.self) { try ConstantOfShape().result(list(1 << 40)) }
    #expect(throws: OpError.self) { try ConstantOfShape().result(list(.max, .max, 0)) }
  }

  @Test("Range stops before the limit in either direction")
  func range() throws {
    func scalar(_ value: Int64) -> Tensor { Tensor(scalar: value) }
    #expect(try NumberRange().result(scalar(1), scalar(7), scalar(3)) == list(1, 4))
    #expect(try NumberRange().result(scalar(5), scalar(0), scalar(-2)) == list(5, 3, 1))
    #expect(try NumberRange().result(scalar(5), scalar(0), scalar(2)).shape == [0])
    #expect(throws: OpError.self) { try NumberRange().result(scalar(0), scalar(1), scalar(0)) }
    #expect(throws: OpError.self) {
      try NumberRange().result(scalar(.min), scalar(.max), scalar(1))
    }
    let reals = try NumberRange().result(
      Tensor(scalar: Float(0)), Tensor(scalar: Float(1)), Tensor(scalar: Float(0.4)))
    #expect(reals == floats([0, 0.4, 0.8]))
    #expect(throws: OpError.self) {
      try NumberRange().result(
        Tensor(scalar: Float(0)), Tensor(scalar: Float(1)), Tensor(scalar: Float(0)))
    }
  }

  @Test("Range up to a symbol has the symbol's length")
  func symbolicRange() throws {
    let limit = Operand(type: TensorType(.int64, []), contents: [.symbol("N")])
    let type = try NumberRange().type(
      Operand(Tensor(scalar: Int64(0))), limit, Operand(Tensor(scalar: Int64(1))))
    #expect(type?.description == "int64 N")
  }
}
