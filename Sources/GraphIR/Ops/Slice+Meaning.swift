// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension Slice {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...5)
    guard let type = try operands.required(0, "data").type else { return [nil] }
    guard var dimensions = type.dimensions else { return [TensorType(type.elementType, nil)] }
    guard let cuts = try cuts(operands, rank: dimensions.count) else {
      return [TensorType(type.elementType, dimensions.map { _ in .unknown })]
    }
    for cut in cuts { dimensions[cut.axis] = cut.extent(of: dimensions[cut.axis]) }
    return [TensorType(type.elementType, dimensions)]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    guard operands.optional(0)?.type?.rank ?? 1 == 1 else { return movedContents(operands) }
    guard let contents = operands.optional(0)?.knownContents,
      let cuts = try? cuts(operands, rank: 1), cuts.count <= 1
    else { return nil }
    guard let cut = cuts.first else { return contents }
    guard let range = cut.resolved(extent: contents.count) else { return nil }
    return (0..<range.count).map { contents[range.start + $0 * range.step] }
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    let data = try inputs.required(0, "data")
    try ResultLimit.check(data.shape, data.elementType)
    var strides = Tensor.strides(of: data.shape)
    var start = 0
    let operands = inputs.map { $0.map { Operand($0) } }
    for cut in try cuts(operands, rank: data.rank) ?? [] {
      guard let range = cut.resolved(extent: data.shape[cut.axis]), range.count > 0 else {
        continue
      }
      start += range.start * strides[cut.axis]
      strides[cut.axis] *= range.step
    }
    return [try data.moved(to: result.shape, sourceStrides: strides, start: start)]
  }

  /// Where the elements of the result lie along the axes that are really cut, which are those whose
  /// extent or order changes; `nil` where that is not known.
  package func places(
    _ operands: [Operand?], dimensions: [Dimension]
  ) throws(OpError) -> [(axis: Int, start: Int, step: Int, extent: Int)]? {
    guard let cuts = try cuts(operands, rank: dimensions.count) else { return nil }
    var result: [(axis: Int, start: Int, step: Int, extent: Int)] = []
    for cut in cuts where !cut.isWhole {
      guard let extent = dimensions[cut.axis].value, let range = cut.resolved(extent: extent) else {
        return nil
      }
      if range.start == 0, range.step == 1, range.count == extent { continue }
      result.append((cut.axis, range.start, range.step, extent))
    }
    return result
  }

  /// The cuts along the listed axes; `nil` where the axes are not known.
  private func cuts(_ operands: [Operand?], rank: Int) throws(OpError) -> [Cut]? {
    let starts = try operands.required(1, "starts")
    let ends = try operands.required(2, "ends")
    let from = try starts.checkedContents("starts")
    let to = try ends.checkedContents("ends")
    let axes = try operands.optional(3)?.checkedIntegers("axes")
    let steps = try operands.optional(4)?.checkedContents("steps")
    let count = from?.count ?? to?.count ?? starts.knownCount ?? ends.knownCount ?? axes?.count
    guard let count, operands.optional(3) == nil || axes != nil else { return nil }
    let lengths = [from?.count, to?.count, axes?.count, steps?.count].compactMap { $0 }
    guard count <= rank, lengths.allSatisfy({ $0 == count }) else {
      throw .invalidValue(
        input: "starts", found: "\(count) numbers",
        expected: "as many as ends, axes and steps, at most \(rank)")
    }
    let places = try Axes.normalized(axes ?? Array(0..<count), rank: rank)
    var result: [Cut] = []
    for (index, axis) in places.enumerated() {
      let step = operands.optional(4) == nil ? .fixed(1) : steps?[index] ?? .unknown
      guard step != .fixed(0) else {
        throw .invalidValue(input: "steps", found: "0", expected: "a number other than 0")
      }
      result.append(
        Cut(axis: axis, start: from?[index] ?? .unknown, end: to?[index] ?? .unknown, step: step))
    }
    return result
  }
}

/// What a slice takes of one axis.
private struct Cut {
  var axis: Int
  var start: Dimension
  var end: Dimension
  var step: Dimension

  /// Any end from here on means the end of the axis, as exporters write it.
  private static let unbounded = Int(Int32.max)

  /// The first position, the distance between positions and their number; `nil` if unknown.
  func resolved(extent: Int) -> (start: Int, step: Int, count: Int)? {
    guard let start = start.value, let end = end.value, let step = step.value else { return nil }
    let from = start < 0 ? start + extent : start
    let to = end < 0 ? end + extent : end
    if step > 0 {
      let (first, last) = (min(max(from, 0), extent), min(max(to, 0), extent))
      let count = last > first ? (last - first - 1) / step + 1 : 0
      return (first, count > 1 ? step : 1, count)
    }
    let (first, last) = (min(max(from, 0), extent - 1), min(max(to, -1), extent - 1))
    guard first > last else { return (0, 1, 0) }
    let count = Int(UInt(first - last - 1) / step.magnitude) + 1
    return (first, count > 1 ? step : 1, count)
  }

  /// Whether the cut takes every element in order, whatever the extent.
  var isWhole: Bool {
    start == .fixed(0) && step == .fixed(1) && (end.value ?? 0) >= Cut.unbounded
  }

  func extent(of dimension: Dimension) -> Dimension {
    if let extent = dimension.value {
      return resolved(extent: extent).map { .fixed($0.count) } ?? symbolicExtent(dimension)
    }
    return symbolicExtent(dimension)
  }

  private func symbolicExtent(_ dimension: Dimension) -> Dimension {
    switch (start, end, step) {
    case (.fixed(0), .fixed(let end), .fixed(1)) where end >= Cut.unbounded: dimension
    case (.fixed(0), let end, .fixed(1)) where end.value == nil && end == dimension: dimension
    case (.fixed(0), .symbol, .fixed(1)) where dimension.value == nil: .unknown
    case (.fixed(-1), .fixed(let end), .fixed(-1)) where end <= -Cut.unbounded: dimension
    case (.fixed(let start), .fixed(let end), .fixed) where start == end: .fixed(0)
    default: .unknown
    }
  }
}
