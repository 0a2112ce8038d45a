// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension GatherElements {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    let data = try operands.required(0, "data").type
    let indices = try operands.required(1, "indices").type
    try checkElementIndices(data?.dimensions, indices, axis: axis)
    return [data.map { TensorType($0.elementType, indices?.dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    _ = try resultTypes(inputs, outputCount: outputCount)
    let data = try inputs.required(0, "data")
    let indices = try inputs.required(1, "indices")
    let positions = try elementPositions(indices, axis: axis, in: data.shape)
    let loop = MoveAxis(
      extent: positions.count, sourceStride: 0, targetStride: 1, sourceOffsets: positions)
    return [try data.moved(to: indices.shape, along: [loop])]
  }
}

extension GatherND {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    let indices = try operands.required(1, "indices").type
    if let indices { try checkIndexType(indices.elementType) }
    guard let type = try operands.required(0, "data").type else { return [nil] }
    guard let data = type.dimensions, let tuples = indices?.dimensions else {
      return [TensorType(type.elementType, nil)]
    }
    let rule = try TupleRule(data: data, indices: tuples, batch: batchDimensions)
    return [TensorType(type.elementType, rule?.outputDimensions)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    let data = try inputs.required(0, "data")
    let indices = try inputs.required(1, "indices")
    let starts = try tuplePositions(indices, batch: batchDimensions, in: data.shape)
    let block = data.shape.dropFirst(batchDimensions + (indices.shape.last ?? 0)).reduce(1, *)
    let loops = [
      MoveAxis(
        extent: starts.count, sourceStride: 0, targetStride: block, sourceOffsets: starts),
      MoveAxis(extent: block, sourceStride: 1, targetStride: 1),
    ]
    return [try data.moved(to: result.shape, along: loops)]
  }
}

/// Checks indices of which each stands for one element of the data along an axis.
func checkElementIndices(
  _ data: [Dimension]?, _ indices: TensorType?, axis: Int
) throws(OpError) {
  if let indices { try checkIndexType(indices.elementType) }
  guard let data else { return }
  let axis = try Axes.normalized(axis, rank: data.count)
  guard let dimensions = indices?.dimensions else { return }
  guard dimensions.count == data.count else {
    throw .invalidRank(input: "indices", found: dimensions.count, expected: String(data.count))
  }
  for position in data.indices where position != axis {
    guard let extent = dimensions[position].value, let limit = data[position].value else {
      continue
    }
    guard extent <= limit else {
      throw .invalidShape(
        input: "indices", found: dimensions.map { $0.value ?? -1 },
        expected: "at most \(limit) at axis \(position)")
    }
  }
}

/// The linear positions in the data that indices along an axis stand for.
///
/// - Throws: `OpError.invalidValue` if an index is outside.
func elementPositions(
  _ indices: Tensor, axis: Int, in shape: [Int]
) throws(OpError) -> [Int] {
  try ResultLimit.check(shape, .int64)
  let axis = try Axes.normalized(axis, rank: shape.count)
  var strides = Tensor.strides(of: shape)
  let distance = strides[axis]
  strides[axis] = 0
  let along = try checkedPositions(indices.integers(), extent: shape[axis])
  let others = linearPositions(of: indices.shape, strides: strides)
  return zip(others, along).map { $0 + $1 * distance }
}

/// The linear positions of all elements of a tensor of a shape, in order, by other distances.
func linearPositions(of shape: [Int], strides: [Int]) -> [Int] {
  if shape.contains(0) { return [] }
  var positions = [0]
  for (extent, stride) in zip(shape, strides) where extent > 1 {
    var next: [Int] = []
    next.reserveCapacity(positions.count * extent)
    for position in positions {
      for step in 0..<extent { next.append(position + step * stride) }
    }
    positions = next
  }
  return positions
}

/// How tuples of indices, listed along the last axis, select slices of the data.
struct TupleRule {
  /// Extents of the list of tuples, then those of each slice.
  let outputDimensions: [Dimension]

  /// - Returns: `nil` if the length of the tuples is not known.
  init?(data: [Dimension], indices: [Dimension], batch: Int) throws(OpError) {
    guard let last = indices.last else {
      throw .invalidRank(input: "indices", found: 0, expected: "at least 1")
    }
    guard batch >= 0, batch < indices.count, batch <= data.count else {
      throw .invalidAttribute(
        name: "batch_dims", found: String(batch), expected: "less than both ranks")
    }
    guard let length = last.value else { return nil }
    guard length >= 0, length <= data.count - batch else {
      throw .invalidShape(
        input: "indices", found: indices.map { $0.value ?? -1 },
        expected: "at most \(data.count - batch) at the last axis")
    }
    var lists = Array(indices.dropLast())
    for axis in 0..<batch {
      guard let common = Dimension.merged(data[axis], indices[axis]) else {
        throw .invalidShape(
          input: "indices", found: indices.map { $0.value ?? -1 },
          expected: "\(data[axis]) at axis \(axis)")
      }
      lists[axis] = common
    }
    outputDimensions = lists + data[(batch + length)...]
  }
}

/// The linear positions at which the slices that tuples of indices select begin.
///
/// - Throws: `OpError.invalidValue` if an index is outside.
func tuplePositions(
  _ indices: Tensor, batch: Int, in shape: [Int]
) throws(OpError) -> [Int] {
  try ResultLimit.check(shape, .int64)
  let length = indices.shape.last ?? 0
  let strides = Tensor.strides(of: shape)
  let lists = Array(indices.shape.dropLast())
  var batchStrides = [Int](repeating: 0, count: lists.count)
  for axis in 0..<batch { batchStrides[axis] = strides[axis] }
  var positions = linearPositions(of: lists, strides: batchStrides)
  let values = indices.integers()
  for place in 0..<length {
    let extent = shape[batch + place]
    for tuple in positions.indices {
      let index = values[tuple * length + place]
      guard index >= -extent, index < extent else {
        throw .invalidValue(
          input: "indices", found: String(index), expected: "\(-extent)…\(extent - 1)")
      }
      positions[tuple] += (index < 0 ? Int(index) + extent : Int(index)) * strides[batch + place]
    }
  }
  return positions
}
