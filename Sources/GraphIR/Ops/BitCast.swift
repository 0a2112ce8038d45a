// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// The bits of each element read as another type of the same width.
public struct BitCast: Op {
  public var kind: String { "BitCast" }
  public var target: ElementType
  public init(to target: ElementType) { self.target = target }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let input = try operands.required(0, "input")
    if let type = input.type, type.elementType.bitWidth != target.bitWidth {
      throw .invalidElementType(
        input: "input", found: type.elementType, expected: "a type of \(target.bitWidth) bits")
    }
    return [TensorType(target, input.dimensions)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    _ = try resultTypes(inputs, outputCount: outputCount)
    let input = try inputs.required(0, "input")
    let bytes = target == .bool ? input.bytes.map { $0 == 0 ? 0 : 1 } : input.bytes
    return [Tensor(uncheckedElementType: target, shape: input.shape, bytes: bytes)]
  }
}
