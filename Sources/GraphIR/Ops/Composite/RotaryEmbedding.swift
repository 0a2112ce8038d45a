// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// Turns pairs of the elements of each head by angles that grow with the position; inputs X, the
/// cosines and sines, and optionally the positions at which these are looked up.
///
/// Source: ONNX, operator RotaryEmbedding, version 23.
public struct RotaryEmbedding: CompositeOp {
  public var kind: String { "RotaryEmbedding" }
  /// Whether pairs are neighbours rather than one from each half.
  public var isInterleaved: Bool
  /// How many elements of a head are turned; 0 for all.
  public var turnedCount: Int
  /// Heads of an input of rank 3.
  public var heads: Int

  public init(isInterleaved: Bool = false, turnedCount: Int = 0, heads: Int = 0) {
    self.isInterleaved = isInterleaved
    self.turnedCount = turnedCount
    self.heads = heads
  }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(3...4)
    try checkOutputCount(outputCount, 1...1)
    var x: ValueID = try inputs.required(0, "X")
    try ElementTypeRule.floating.check(body.graph[x].type, "X")
    let rank = try body.rank(x)
    switch rank {
    case 4: x = try body.transpose(x, [0, 2, 1, 3])
    case 3:
      guard heads > 0 else {
        throw .invalidAttribute(
          name: "num_heads", found: "\(heads)", expected: "the heads of an input of rank 3")
      }
      x = try body.reshape(x, [0, 0, heads, -1])
    default: throw .invalidRank(input: "X", found: rank, expected: "3 or 4")
    }
    let size = try body.extent(x, 3)
    let count = turnedCount == 0 ? size : turnedCount
    guard count > 0, count <= size, count % 2 == 0 else {
      throw .invalidAttribute(
        name: "rotary_embedding_dim", found: "\(count)", expected: "an even number up to \(size)")
    }
    var angles: [ValueID] = []
    for (index, name) in [(1, "cos_cache"), (2, "sin_cache")] {
      var cache: ValueID = try inputs.required(index, name)
      if let positions = inputs.optional(3) { cache = try body.add(Gather(), cache, positions) }
      angles.append(try body.unsqueeze(cache, [2]))
    }
    let turned = count == size ? x : try body.slice(x, axis: 3, from: 0, to: count)
    let pair = try pair(turned, count, &body)
    let real = try body.binary(
      .subtract, body.binary(.multiply, angles[0], pair.0),
      body.binary(.multiply, angles[1], pair.1))
    let imaginary = try body.binary(
      .add, body.binary(.multiply, angles[1], pair.0),
      body.binary(.multiply, angles[0], pair.1))
    var result: ValueID
    if isInterleaved {
      let joined = try body.add(
        Concat(axis: 4), body.unsqueeze(real, [4]), body.unsqueeze(imaginary, [4]))
      result = try body.reshape(joined, [0, 0, 0, -1])
    } else {
      result = try body.add(Concat(axis: 3), real, imaginary)
    }
    if count < size {
      result = try body.add(Concat(axis: 3), result, body.slice(x, axis: 3, from: count))
    }
    result =
      try rank == 4
      ? body.transpose(result, [0, 2, 1, 3]) : body.reshape(result, [0, 0, -1])
    return [result]
  }

  private func pair(
    _ x: ValueID, _ count: Int, _ body: inout Composition
  ) throws(OpError) -> (ValueID, ValueID) {
    if isInterleaved {
      return (
        try body.slice(x, axis: 3, from: 0, step: 2), try body.slice(x, axis: 3, from: 1, step: 2)
      )
    }
    return (
      try body.slice(x, axis: 3, from: 0, to: count / 2),
      try body.slice(x, axis: 3, from: count / 2)
    )
  }
}
