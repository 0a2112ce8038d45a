// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Attention as exporters spell it out, as one node: `Softmax(scale · Q·K + mask)·V` along the
/// last axis.
///
/// Inputs: Q `[…, length, size]`, K with its axes in the order of a right operand
/// `[…, size, keys]`, V `[…, keys, width]`, and optionally a mask that is added to the scores,
/// broadcast to `[…, length, keys]`. Output `[…, length, width]`. It has no form in ONNX: the
/// lowering pass list makes it of `MatMul`, `Softmax` and what stands between.
public struct DotProductAttention: CompositeOp {
  public var kind: String { "DotProductAttention" }
  public var domain: String { "swiftlet.internal" }

  /// What the products are multiplied by.
  public var scale: Float

  /// Whether a row of scores that are all −∞ has the weights 0; they are NaN otherwise.
  public var closedRowsAreZero: Bool

  public init(scale: Float = 1, closedRowsAreZero: Bool = false) {
    self.scale = scale
    self.closedRowsAreZero = closedRowsAreZero
  }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(3...4)
    try checkOutputCount(outputCount, 1...1)
    let query: ValueID = try inputs.required(0, "Q")
    let type = try body.elementType(query)
    var scores = try body.add(MatMul(), query, inputs.required(1, "K"))
    if scale != 1 {
      scores = try body.binary(.multiply, scores, body.scalar(Double(scale), type))
    }
    if let mask = inputs.optional(3) { scores = try body.binary(.add, scores, mask) }
    var weights = try body.add(Softmax(axis: -1), scores)
    if closedRowsAreZero {
      let open = try body.reduce(.maximum, scores, axes: [-1])
      let isClosed = try body.binary(.equal, open, body.scalar(-.infinity, type))
      weights = try body.add(Where(), isClosed, body.scalar(0, type), weights)
    }
    return [try body.add(MatMul(), weights, inputs.required(2, "V"))]
  }
}
