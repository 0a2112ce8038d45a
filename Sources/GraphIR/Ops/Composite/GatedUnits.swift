// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// `a · sigmoid(α a) · b`.
public struct SwiGLU: CompositeOp {
  public var kind: String { "SwiGLU" }
  public var alpha: Float
  public init(alpha: Float = 1) { self.alpha = alpha }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    let (a, b): (ValueID, ValueID) = (try inputs.required(0, "A"), try inputs.required(1, "B"))
    try ElementTypeRule.floating.check(body.graph[a].type, "A")
    if let left = body.graph[a].type?.shape, let right = body.graph[b].type?.shape, left != right {
      throw .invalidShape(input: "B", found: right, expected: "\(left), as A")
    }
    return [try body.binary(.multiply, body.unary(.swish(alpha: alpha), a), b)]
  }
}

/// Convolution of each channel with its own filter over the present and past elements.
///
/// Inputs `[N, C, L]`, weight `[C, 1, k]` and optionally a bias and the `k − 1` elements before the
/// first. Outputs the result and the last `k − 1` elements.
public struct CausalConvWithState: CompositeOp {
  public var kind: String { "CausalConvWithState" }
  /// Whether the result is multiplied with its sigmoid.
  public var gates: Bool
  public init(gates: Bool = false) { self.gates = gates }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(2...4)
    try checkOutputCount(outputCount, 1...2)
    let (x, weight): (ValueID, ValueID) = (
      try inputs.required(0, "input"), try inputs.required(1, "weight")
    )
    let type = try body.elementType(x)
    try ElementTypeRule.floating.check(body.graph[x].type, "input")
    let memory = try body.extent(weight, 2) - 1
    let line: ValueID
    if let past = inputs.optional(3) {
      line = try body.add(Concat(axis: 2), past, x)
    } else {
      line = try body.add(Pad(), x, body.integers([memory, 0]), nil, body.integers([2]))
    }
    let group = try body.extent(weight, 0)
    var result = try body.add(Conv(group: group), line, weight, inputs.optional(2))
    if gates {
      let wide = try body.cast(result, to: .float32)
      result = try body.cast(
        body.binary(.multiply, wide, body.unary(.sigmoid, wide)), to: type)
    }
    let start = memory == 0 ? Int(Int32.max) : -memory
    return [result, try body.slice(line, axis: 2, from: start)]
  }
}
