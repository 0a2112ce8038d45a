// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// A product of codes that were quantized by their own range with a constant matrix of codes, in
/// real numbers, as one node.
///
/// Inputs: codes A `[…, rows, inner]` with their scale and zero point (one each), codes B
/// `[inner, columns]` of zero point 0, and B's scales, one or one per column. Output
/// `(A − zero)·B · scale · scales`. It has no form in ONNX: the lowering pass list makes it of
/// `MatMulInteger` and what turns its sums into reals.
public struct DynamicMatMul: CompositeOp {
  public var kind: String { "DynamicMatMul" }
  public var domain: String { "swiftlet.internal" }

  public init() {}

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(5...5)
    try checkOutputCount(outputCount, 1...1)
    let sums = try body.add(
      MatMulInteger(), inputs.required(0, "A"), inputs.required(3, "B"), inputs.required(2, "zero"))
    let scale = try body.binary(
      .multiply, inputs.required(1, "scale"), inputs.required(4, "scales"))
    return [try body.binary(.multiply, body.cast(sums, to: .float32), scale)]
  }
}
