// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension Concat {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...max(1, operands.count))
    var result: TensorType?
    var isKnown = true
    for index in operands.indices {
      let name = "inputs_\(index)"
      guard let type = try operands.required(index, name).type else {
        isKnown = false
        continue
      }
      if let found = result, found.elementType != type.elementType {
        throw .invalidElementType(
          input: name, found: type.elementType, expected: found.elementType.rawValue)
      }
      guard let dimensions = type.dimensions else {
        isKnown = false
        result = result ?? TensorType(type.elementType, nil)
        continue
      }
      result = TensorType(
        type.elementType, try joined(result?.dimensions, dimensions, name))
    }
    guard var result else { return [nil] }
    if !isKnown, let dimensions = result.dimensions {
      let axis = try Axes.normalized(axis, rank: dimensions.count)
      result.dimensions?[axis] = .unknown
    }
    return [result]
  }

  private func joined(
    _ left: [Dimension]?, _ right: [Dimension], _ name: String
  ) throws(OpError) -> [Dimension] {
    let axis = try Axes.normalized(axis, rank: right.count)
    guard let left else { return right }
    guard left.count == right.count else {
      throw .invalidRank(input: name, found: right.count, expected: String(left.count))
    }
    var result: [Dimension] = []
    for position in left.indices {
      if position == axis {
        result.append(left[position] + right[position])
      } else if let common = Dimension.merged(left[position], right[position]) {
        result.append(common)
      } else {
        throw .invalidShape(
          input: name, found: right.map { $0.value ?? -1 },
          expected: "\(left[position]) at axis \(position)")
      }
    }
    return result
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    var result: [Dimension] = []
    for operand in operands {
      guard let operand else { return nil }
      if let rank = operand.type?.rank, rank != 1 { return nil }
      let length = operand.dimensions?.first?.value ?? -1
      if let contents = operand.knownContents {
        result += contents
      } else if length >= 0, length <= Operand.contentsLimit {
        result += Array(repeating: .unknown, count: length)
      } else {
        return nil
      }
      guard result.count <= Operand.contentsLimit else { return nil }
    }
    return result
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    let axis = try Axes.normalized(axis, rank: result.shape.count)
    let strides = Tensor.strides(of: result.shape)
    var buffer = ElementBuffer(result.elementType, count: result.shape.reduce(1, *))
    var start = 0
    for index in inputs.indices {
      let input = try inputs.required(index, "inputs_\(index)")
      try ResultLimit.check(input.shape, input.elementType)
      let sourceStrides = Tensor.strides(of: input.shape)
      let axes = input.shape.indices.map {
        MoveAxis(
          extent: input.shape[$0], sourceStride: sourceStrides[$0], targetStride: strides[$0])
      }
      try buffer.move(from: ElementBuffer(input), axes: axes, targetStart: start)
      start += input.shape[axis] * strides[axis]
    }
    return [buffer.tensor(shape: result.shape)]
  }
}

extension Split {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...2)
    let list = operands.optional(1)
    let sizes = try list?.checkedContents("split")
    guard let type = try operands.required(0, "input").type else {
      return Array(repeating: nil, count: outputCount)
    }
    guard let dimensions = type.dimensions else {
      return Array(repeating: TensorType(type.elementType, nil), count: outputCount)
    }
    let axis = try Axes.normalized(axis, rank: dimensions.count)
    let unknown = [Dimension](repeating: .unknown, count: outputCount)
    let parts =
      list == nil
      ? try equalParts(dimensions[axis], outputCount)
      : try checkedParts(sizes ?? unknown, of: dimensions[axis], outputCount)
    return parts.map { part in
      var result = dimensions
      result[axis] = part
      return TensorType(type.elementType, result)
    }
  }

  /// Parts of equal length, the last one shorter where the extent is no multiple.
  private func equalParts(
    _ extent: Dimension, _ count: Int
  ) throws(OpError) -> [Dimension] {
    guard count > 0 else { return [] }
    guard let length = extent.value else {
      return Array(repeating: count == 1 ? extent : .unknown, count: count)
    }
    let part = length / count + (length % count == 0 ? 0 : 1)
    let last = length - part * (count - 1)
    guard last >= 0 else {
      throw .invalidAttribute(
        name: "num_outputs", found: String(count), expected: "parts of an axis of \(length)")
    }
    return Array(repeating: .fixed(part), count: count - 1) + [.fixed(last)]
  }

  private func checkedParts(
    _ parts: [Dimension], of extent: Dimension, _ count: Int
  ) throws(OpError) -> [Dimension] {
    let sum = parts.reduce(.fixed(0), +)
    guard parts.count == count, parts.allSatisfy({ $0.value ?? 0 >= 0 }),
      Dimension.merged(sum, extent) != nil
    else {
      throw .invalidValue(
        input: "split", found: "\(parts)", expected: "\(count) lengths whose sum is \(extent)")
    }
    return parts
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    guard let contents = operands.optional(0)?.knownContents,
      let first = operands.optional(1)?.knownIntegers?.first, first >= 0, first <= contents.count
    else { return nil }
    return Array(contents.prefix(first))
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    let data = try inputs.required(0, "input")
    let axis = try Axes.normalized(axis, rank: data.rank)
    let strides = Tensor.strides(of: data.shape)
    var parts: [Tensor] = []
    var start = 0
    for result in results {
      parts.append(try data.moved(to: result.shape, sourceStrides: strides, start: start))
      start += result.shape[axis] * strides[axis]
    }
    return parts
  }
}

extension Gather {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    let indices = try operands.required(1, "indices").type
    if let indices { try checkIndexType(indices.elementType) }
    guard let type = try operands.required(0, "data").type else { return [nil] }
    guard let dimensions = type.dimensions, let inserted = indices?.dimensions else {
      return [TensorType(type.elementType, nil)]
    }
    let axis = try Axes.normalized(axis, rank: dimensions.count)
    return [
      TensorType(
        type.elementType, dimensions[..<axis] + inserted + dimensions[(axis + 1)...])
    ]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    guard operands.optional(0)?.type?.rank ?? 1 == 1 else { return movedContents(operands) }
    guard let data = operands.optional(0), let contents = data.knownContents,
      let indices = operands.optional(1)?.knownIntegers, indices.count <= Operand.contentsLimit
    else { return nil }
    var result: [Dimension] = []
    for index in indices {
      guard index >= -contents.count, index < contents.count else { return nil }
      result.append(contents[index < 0 ? index + contents.count : index])
    }
    return result
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    let data = try inputs.required(0, "data")
    try ResultLimit.check(data.shape, data.elementType)
    let axis = try Axes.normalized(axis, rank: data.rank)
    let indices = try inputs.required(1, "indices")
    let positions = try checkedPositions(indices.integers(), extent: data.shape[axis])
    let inner = data.shape[(axis + 1)...].reduce(1, *)
    let outer = data.shape[..<axis].reduce(1, *)
    let axes = [
      MoveAxis(
        extent: outer, sourceStride: data.shape[axis] * inner,
        targetStride: positions.count * inner),
      MoveAxis(
        extent: positions.count, sourceStride: 0, targetStride: inner,
        sourceOffsets: positions.map { $0 * inner }),
      MoveAxis(extent: inner, sourceStride: 1, targetStride: 1),
    ]
    return [try data.moved(to: result.shape, along: axes)]
  }
}

/// Checks that a list of positions is of an integer type that ONNX indexes with.
func checkIndexType(_ type: ElementType, _ name: String = "indices") throws(OpError) {
  guard type == .int64 || type == .int32 else {
    throw .invalidElementType(input: name, found: type, expected: "int64 or int32")
  }
}

/// The positions counted from the first; negative ones count from the last.
///
/// - Throws: `OpError.invalidValue` if one is outside `-extent..<extent`.
func checkedPositions(
  _ positions: [Int64], extent: Int, _ name: String = "indices"
) throws(OpError) -> [Int] {
  var result: [Int] = []
  result.reserveCapacity(positions.count)
  for position in positions {
    guard position >= -extent, position < extent else {
      throw .invalidValue(
        input: name, found: String(position), expected: "\(-extent)…\(extent - 1)")
    }
    result.append(Int(position < 0 ? position + Int64(extent) : position))
  }
  return result
}
