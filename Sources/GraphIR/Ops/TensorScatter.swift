// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Writes new elements of a sequence into a cache; inputs the cache, the update, and optionally
/// where in each sample's sequence it begins.
public struct TensorScatter: Op {
  public var kind: String { "TensorScatter" }
  /// The axis of the sequence; not the first one.
  public var axis: Int
  /// Whether positions beyond the end begin again at the start.
  public var wrapsAround: Bool

  public init(axis: Int = -2, wrapsAround: Bool = false) {
    self.axis = axis
    self.wrapsAround = wrapsAround
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...3)
    try checkOutputCount(outputCount, 1...1)
    let cache = try operands.required(0, "past_cache").type
    let update = try operands.required(1, "update").type
    if let cache, let update, cache.elementType != update.elementType {
      throw .invalidElementType(
        input: "update", found: update.elementType, expected: cache.elementType.rawValue)
    }
    guard let extents = cache?.dimensions else { return [cache] }
    let place = try Axes.normalized(axis, rank: extents.count)
    guard place > 0 else {
      throw .invalidAttribute(name: "axis", found: "\(axis)", expected: "an axis behind the batch")
    }
    if let given = update?.dimensions {
      let fits =
        given.count == extents.count
        && given.indices.allSatisfy { index in
          if index != place { return Dimension.merged(given[index], extents[index]) != nil }
          guard let count = given[index].value, let room = extents[index].value else { return true }
          return count <= room
        }
      guard fits else {
        throw .invalidShape(
          input: "update", found: update?.shape ?? [],
          expected: "the cache's \(cache?.description ?? "")")
      }
    }
    return [cache]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let cache = try inputs.required(0, "past_cache")
    let update = try inputs.required(1, "update")
    let place = try Axes.normalized(axis, rank: cache.rank)
    let starts = inputs.optional(2)?.integers() ?? Array(repeating: 0, count: cache.shape[0])
    guard starts.count == cache.shape[0] else {
      throw .invalidShape(
        input: "write_indices", found: [starts.count], expected: "[\(cache.shape[0])]")
    }
    let (room, count) = (cache.shape[place], update.shape[place])
    let inner = cache.shape[(place + 1)...].reduce(1, *)
    let lines = cache.shape[1..<place].reduce(1, *)
    var result = ElementBuffer(cache)
    let source = ElementBuffer(update)
    for (sample, start) in starts.enumerated() {
      let last = wrapsAround ? Int64(room) - 1 : Int64(room - count)
      guard (0...max(0, last)).contains(start) else {
        throw .invalidValue(input: "write_indices", found: "\(start)", expected: "0…\(last)")
      }
      for step in 0..<count {
        let position = (Int(start) + step) % room
        try result.move(
          from: source,
          axes: [
            MoveAxis(extent: lines, sourceStride: count * inner, targetStride: room * inner),
            MoveAxis(extent: inner, sourceStride: 1, targetStride: 1),
          ], sourceStart: (sample * lines * count + step) * inner,
          targetStart: (sample * lines * room + position) * inner)
      }
    }
    return [result.tensor(shape: cache.shape)]
  }
}
