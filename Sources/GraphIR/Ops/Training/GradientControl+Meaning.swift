// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension StopGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    return [try operands.required(0, "X").type]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    operands.optional(0)?.knownContents
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    _ = try resultTypes(inputs, outputCount: outputCount)
    return [try inputs.required(0, "X")]
  }
}

extension StraightThrough {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "x").type
    let y = try operands.required(1, "y").type
    try ElementTypeRule.floating.check(x, "x")
    let dimensions = try checkReals(y, "y", like: x?.dimensions)
    return [(y ?? x).map { TensorType($0.elementType, dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    _ = try resultTypes(inputs, outputCount: outputCount)
    return [try inputs.required(1, "y")]
  }
}
