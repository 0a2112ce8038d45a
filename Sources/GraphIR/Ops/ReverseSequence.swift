// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// The first elements of each sequence of a batch in reverse; inputs data and how many.
public struct ReverseSequence: Op {
  public var kind: String { "ReverseSequence" }
  /// 0 and 1, or 1 and 0.
  public var batchAxis: Int
  public var timeAxis: Int

  public init(batchAxis: Int = 1, timeAxis: Int = 0) {
    self.batchAxis = batchAxis
    self.timeAxis = timeAxis
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    guard Set([batchAxis, timeAxis]) == [0, 1] else {
      throw .invalidAttribute(
        name: "time_axis", found: "\(timeAxis) beside batch_axis \(batchAxis)", expected: "0 and 1")
    }
    let input = try operands.required(0, "input").type
    let lengths = try operands.required(1, "sequence_lens").type
    try ElementTypeRule.only(.int64).check(lengths, "sequence_lens")
    if let rank = input?.rank, rank < 2 {
      throw .invalidRank(input: "input", found: rank, expected: "2 or more")
    }
    if let batch = input?.dimensions?[batchAxis], let given = lengths?.dimensions {
      guard given.count == 1, Dimension.merged(given[0], batch) != nil else {
        throw .invalidShape(
          input: "sequence_lens", found: lengths?.shape ?? [], expected: "[\(batch)]")
      }
    }
    return [input]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let input = try inputs.required(0, "input")
    let lengths = try inputs.required(1, "sequence_lens").integers()
    let (batch, steps) = (input.shape[batchAxis], input.shape[timeAxis])
    let strides = Tensor.strides(of: input.shape)
    let inner = strides[1]
    var result = ElementBuffer(input)
    let source = result
    for sample in 0..<batch {
      guard (0...Int64(steps)).contains(lengths[sample]) else {
        throw .invalidValue(
          input: "sequence_lens", found: "\(lengths[sample])", expected: "0…\(steps)")
      }
      let length = Int(lengths[sample])
      if length == 0 { continue }
      let start = sample * strides[batchAxis]
      try result.move(
        from: source,
        axes: [
          MoveAxis(
            extent: length, sourceStride: -strides[timeAxis], targetStride: strides[timeAxis]),
          MoveAxis(extent: inner, sourceStride: 1, targetStride: 1),
        ], sourceStart: start + (length - 1) * strides[timeAxis], targetStart: start)
    }
    return [result.tensor(shape: input.shape)]
  }
}
