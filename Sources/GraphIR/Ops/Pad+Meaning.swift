// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension Pad {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...4)
    guard let type = try operands.required(0, "data").type else { return [nil] }
    if let value = operands.optional(2)?.type, value.elementType != type.elementType {
      throw .invalidElementType(
        input: "constant_value", found: value.elementType, expected: type.elementType.rawValue)
    }
    guard var dimensions = type.dimensions else { return [TensorType(type.elementType, nil)] }
    guard let borders = try borders(operands, rank: dimensions.count) else {
      return [TensorType(type.elementType, dimensions.map { _ in .unknown })]
    }
    for (axis, border) in borders.enumerated() {
      let extent = dimensions[axis] + .fixed(border.begin) + .fixed(border.end)
      guard extent.value ?? 0 >= 0 else {
        throw .invalidValue(
          input: "pads", found: "\(border.begin) and \(border.end)",
          expected: "no more cropped than the \(dimensions[axis]) of axis \(axis)")
      }
      dimensions[axis] = extent
    }
    return [TensorType(type.elementType, dimensions)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    let data = try inputs.required(0, "data")
    try ResultLimit.check(data.shape, data.elementType)
    if result.shape.contains(0) { return [Tensor(zerosOf: data.elementType, shape: result.shape)] }
    let operands = inputs.map { $0.map { Operand($0) } }
    let borders = try borders(operands, rank: data.rank) ?? []
    if mode == .constant {
      let fill = inputs.optional(2).map { ElementBuffer($0) }
      return [try constantPadded(data, borders, result.shape, fill)]
    }
    let sourceStrides = Tensor.strides(of: data.shape)
    let targetStrides = Tensor.strides(of: result.shape)
    var axes: [MoveAxis] = []
    for axis in data.shape.indices {
      let (extent, stride) = (data.shape[axis], sourceStrides[axis])
      let isPlain = borders[axis].begin == 0 && result.shape[axis] <= extent
      let offsets =
        isPlain
        ? nil
        : try sources(borders[axis], extent: extent, count: result.shape[axis])
          .map { $0 * stride }
      axes.append(
        MoveAxis(
          extent: result.shape[axis], sourceStride: stride, targetStride: targetStrides[axis],
          sourceOffsets: offsets))
    }
    return [try data.moved(to: result.shape, along: axes)]
  }

  private func constantPadded(
    _ data: Tensor, _ borders: [Border], _ shape: [Int], _ fill: ElementBuffer?
  ) throws(OpError) -> Tensor {
    var buffer = ElementBuffer(data.elementType, count: shape.reduce(1, *), filledWith: fill)
    let sourceStrides = Tensor.strides(of: data.shape)
    let targetStrides = Tensor.strides(of: shape)
    var (sourceStart, targetStart) = (0, 0)
    var axes: [MoveAxis] = []
    for (axis, border) in borders.enumerated() {
      let (first, last) = border.kept(of: data.shape[axis])
      guard first < last else { return buffer.tensor(shape: shape) }
      sourceStart += first * sourceStrides[axis]
      targetStart += max(border.begin, 0) * targetStrides[axis]
      axes.append(
        MoveAxis(
          extent: last - first, sourceStride: sourceStrides[axis],
          targetStride: targetStrides[axis]))
    }
    try buffer.move(
      from: ElementBuffer(data), axes: axes, sourceStart: sourceStart, targetStart: targetStart)
    return buffer.tensor(shape: shape)
  }

  /// For each position of the padded axis, the position of the data that is repeated there.
  private func sources(
    _ border: Border, extent: Int, count: Int
  ) throws(OpError) -> [Int] {
    let (first, last) = border.kept(of: extent)
    let kept = last - first
    guard kept > 0 else {
      throw .invalidValue(
        input: "data", found: "an axis without elements", expected: "some to pad with")
    }
    let begin = max(border.begin, 0)
    return (0..<count).map { position in
      let place = position - begin
      switch mode {
      case .wrap: return first + modulo(place, kept)
      case .reflect:
        let turned = modulo(place, max(1, 2 * (kept - 1)))
        return first + min(turned, 2 * (kept - 1) - turned)
      default: return first + min(max(place, 0), kept - 1)
      }
    }
  }

  private func modulo(_ left: Int, _ right: Int) -> Int {
    let remainder = left % right
    return remainder < 0 ? remainder + right : remainder
  }

  /// The border of every axis; `nil` where it is not known.
  private func borders(_ operands: [Operand?], rank: Int) throws(OpError) -> [Border]? {
    let pads = try operands.required(1, "pads").checkedIntegers("pads")
    let axes = try operands.optional(3)?.checkedIntegers("axes")
    guard let pads, operands.optional(3) == nil || axes != nil else { return nil }
    let places = try Axes.normalized(axes ?? Array(0..<rank), rank: rank)
    guard pads.count == 2 * places.count else {
      throw .invalidValue(
        input: "pads", found: "\(pads.count) numbers", expected: "\(2 * places.count)")
    }
    guard pads.allSatisfy({ $0.magnitude < 1 << 40 }) else {
      throw .invalidValue(input: "pads", found: "\(pads)", expected: "numbers below 2⁴⁰")
    }
    var result = [Border](repeating: Border(begin: 0, end: 0), count: rank)
    for (index, axis) in places.enumerated() {
      result[axis] = Border(begin: pads[index], end: pads[index + places.count])
    }
    return result
  }
}

/// How many positions are added before and behind an axis; negative numbers cut off.
private struct Border {
  var begin: Int
  var end: Int

  /// The positions of the data that are not cut off.
  func kept(of extent: Int) -> (first: Int, last: Int) {
    (max(0, -begin), extent - max(0, -end))
  }
}
