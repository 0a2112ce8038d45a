// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

extension Op {
  /// The first output for the given inputs, checked against the inferred type.
  func result(_ inputs: Tensor?...) throws -> Tensor {
    try #require(try results(inputs).first)
  }

  func results(_ inputs: [Tensor?], count: Int = 1) throws -> [Tensor] {
    let outputs = try evaluate(inputs, outputCount: count)
    let types = try inferTypes(inputs.map { $0.map { Operand($0) } }, outputCount: count)
    for (output, type) in zip(outputs, types) {
      #expect(type == TensorType(output.elementType, shape: output.shape))
      #expect(output.bytes.count == output.elementType.byteCount(of: output.count))
    }
    return outputs
  }

  /// The first inferred type for operands of which only types, and perhaps contents, are known.
  func type(_ operands: Operand?...) throws -> TensorType? {
    try inferTypes(operands, outputCount: 1).first.flatMap { $0 }
  }
}

/// A vector of `int64`, as shapes, axes and indices are written.
func list(_ numbers: Int64...) -> Tensor { Tensor(numbers, shape: [numbers.count]) }

func floats(_ numbers: [Float], _ shape: [Int]? = nil) -> Tensor {
  Tensor(numbers, shape: shape ?? [numbers.count])
}

/// `0, 1, 2, …` in the given shape.
func counting(_ shape: [Int], _ elementType: ElementType = .float32) -> Tensor {
  Tensor(
    integers: (0..<shape.reduce(1, *)).map { Int64($0) }, shape: shape, elementType: elementType)
}

/// An operand of which the dimensions are known: numbers, names, and `nil` for what is unknown.
func operand(_ type: ElementType = .float32, _ dimensions: Dimension...) -> Operand {
  Operand(type: TensorType(type, dimensions))
}

extension Dimension: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int) { self = .fixed(value) }
}
