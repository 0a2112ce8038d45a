// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension Cast {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    return [TensorType(target, try operands.required(0, "input").dimensions)]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    target == .bool
      ? foldedContents(operands) : operands.optional(0)?.knownContents.map { target.fitting($0) }
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    _ = try resultTypes(inputs, outputCount: outputCount)
    return [Cast.converted(try inputs.required(0, "input"), to: target)]
  }

  private static func converted(_ tensor: Tensor, to target: ElementType) -> Tensor {
    switch (tensor.elementType, target) {
    case (target, _): tensor
    case (.uint64, _) where target.isFloatingPoint:
      Tensor(reals: tensor.reals(), shape: tensor.shape, elementType: target)
    case (_, .float32): Tensor(tensor.floats(), shape: tensor.shape)
    case (_, .uint64) where tensor.elementType.isFloatingPoint:
      Tensor(tensor.reals().map(natural), shape: tensor.shape)
    default: tensor.converted(to: target)
    }
  }

  /// The value truncated toward zero; what is negative wraps, what is too large clamps.
  private static func natural(_ value: Double) -> UInt64 {
    if value.isNaN { return 0 }
    let whole = value.rounded(.towardZero)
    if whole >= 0 { return UInt64(exactly: whole) ?? .max }
    return UInt64(bitPattern: Int64(exactly: whole) ?? .min)
  }
}

extension Identity {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    return [try operands.required(0, "input").type]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    operands.optional(0)?.knownContents
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    try inputs.checkCount(1...1)
    return [try inputs.required(0, "input")]
  }
}

extension Dropout {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...3)
    try checkOutputCount(outputCount, 1...2)
    let type = try operands.required(0, "data").type
    if let training = operands.optional(2)?.constant, training.integers().first ?? 0 != 0 {
      throw .notEvaluable(kind: "Dropout in training mode")
    }
    let mask = type.map { TensorType(.bool, $0.dimensions) }
    return outputCount == 2 ? [type, mask] : [type]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    _ = try resultTypes(inputs, outputCount: outputCount)
    let data = try inputs.required(0, "data")
    if outputCount == 1 { return [data] }
    let mask = [UInt8](repeating: 1, count: data.count)
    return [data, Tensor(uncheckedElementType: .bool, shape: data.shape, bytes: mask)]
  }
}
