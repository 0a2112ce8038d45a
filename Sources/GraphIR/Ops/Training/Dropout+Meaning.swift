// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension RandomDropout {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    guard ratio >= 0, ratio < 1 else {
      throw .invalidAttribute(name: "ratio", found: "\(ratio)", expected: "0 or more, below 1")
    }
    let x = try operands.required(0, "X").type
    try ElementTypeRule.floating.check(x, "X")
    try checkScalar(operands.required(1, "step").type, "step", .only(.int64))
    return [x]
  }

  /// An element is kept where `CounterRandom.uniform` at its index is at least `ratio`.
  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let (elementType, shape) = try resultTypes(inputs, outputCount: outputCount)[0]
    let step = try inputs.required(1, "step").integers().first ?? 0
    let random = CounterRandom(stream: stream, step: step)
    let factor = Double(1 / (1 - ratio))
    let values = try inputs.required(0, "X").reals().enumerated().map { index, value in
      random.uniform(at: index) < ratio ? 0 : value * factor
    }
    return [Tensor(reals: values, shape: shape, elementType: elementType)]
  }
}
