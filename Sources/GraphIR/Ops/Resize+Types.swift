// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// How one axis is resampled.
struct ResizeAxis {
  var extent: Dimension
  /// Extent of the result by extent of the input; 1 for an axis that is not listed.
  var scale: Float
  /// The extent of the result before it was rounded to a whole number.
  var unroundedExtent: Float
  /// The region of interest in parts of the axis.
  var region: (start: Float, end: Float) = (0, 1)
}

extension Resize {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...4)
    guard let type = try operands.required(0, "X").type else { return [nil] }
    if mode != .nearest, type.elementType == .bool {
      throw .invalidElementType(input: "X", found: .bool, expected: "a numeric type")
    }
    guard let dimensions = type.dimensions else { return [TensorType(type.elementType, nil)] }
    let plan = try plan(operands, dimensions)
    return [TensorType(type.elementType, plan.map { $0.map(\.extent) } ?? opened(dimensions))]
  }

  /// The axes of the result; `nil` where neither scales nor sizes are known.
  func plan(
    _ operands: [Operand?], _ dimensions: [Dimension]
  ) throws(OpError) -> [ResizeAxis]? {
    let places = try Axes.normalized(axes ?? Array(dimensions.indices), rank: dimensions.count)
    var result = dimensions.map {
      ResizeAxis(extent: $0, scale: 1, unroundedExtent: Float($0.value ?? 0))
    }
    if let region = operands.optional(1)?.constant, coordinates == .cropAndResize {
      let bounds = region.floats()
      guard bounds.count == 2 * places.count else {
        throw .invalidShape(
          input: "roi", found: region.shape, expected: "\(2 * places.count) numbers")
      }
      for (index, axis) in places.enumerated() {
        result[axis].region = (bounds[index], bounds[index + places.count])
      }
    }
    if let scales = Resize.present(operands.optional(2)) {
      guard let factors = try checkedScales(scales, count: places.count) else { return nil }
      for (factor, axis) in zip(factors, places) {
        try scale(&result[axis], by: factor)
      }
      return result
    }
    guard let sizes = Resize.present(operands.optional(3)) else {
      throw .missingInput(name: "scales or sizes")
    }
    guard let extents = try sizes.checkedContents("sizes") else { return nil }
    guard extents.count == places.count, extents.allSatisfy({ $0.value ?? 0 >= 0 }) else {
      throw .invalidValue(
        input: "sizes", found: "\(extents)", expected: "\(places.count) numbers from 0 on")
    }
    try size(&result, places, to: extents)
    return result
  }

  /// An operand that is there and not empty, as older files leave one out.
  private static func present(_ operand: Operand?) -> Operand? {
    operand?.knownCount == 0 ? nil : operand
  }

  private func opened(_ dimensions: [Dimension]) -> [Dimension] {
    let listed = (try? Axes.normalized(axes ?? Array(dimensions.indices), rank: dimensions.count))
    return dimensions.enumerated().map { listed?.contains($0) ?? true ? .unknown : $1 }
  }

  private func checkedScales(_ operand: Operand, count: Int) throws(OpError) -> [Float]? {
    if let type = operand.type, !type.elementType.isFloatingPoint {
      throw .invalidElementType(input: "scales", found: type.elementType, expected: "float32")
    }
    guard let scales = operand.constant?.floats() else { return nil }
    guard scales.count == count, scales.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw .invalidValue(
        input: "scales", found: "\(scales)", expected: "\(count) positive numbers")
    }
    return scales
  }

  private func scale(_ axis: inout ResizeAxis, by factor: Float) throws(OpError) {
    axis.scale = factor
    if factor == 1, coordinates != .cropAndResize { return }
    guard let extent = axis.extent.value else { return axis.extent = .unknown }
    let length = coordinates == .cropAndResize ? axis.region.end - axis.region.start : 1
    axis.unroundedExtent = Float(extent) * length * factor
    guard let whole = Int(exactly: axis.unroundedExtent.rounded(.down)), whole >= 0 else {
      throw .invalidValue(
        input: "scales", found: "\(factor)", expected: "one that leaves a finite extent")
    }
    axis.extent = .fixed(whole)
  }

  private func size(
    _ plan: inout [ResizeAxis], _ places: [Int], to sizes: [Dimension]
  ) throws(OpError) {
    var common: Float?
    if aspectPolicy != .stretch {
      var ratios: [Float] = []
      for (size, axis) in zip(sizes, places) {
        if let size = size.value, let extent = plan[axis].extent.value {
          ratios.append(Float(size) / Float(extent))
        }
      }
      guard ratios.count == places.count else {
        for axis in places { plan[axis].extent = .unknown }
        return
      }
      common = aspectPolicy == .notLarger ? ratios.min() : ratios.max()
    }
    for (size, axis) in zip(sizes, places) {
      guard let target = size.value, let extent = plan[axis].extent.value else {
        plan[axis].extent = size
        continue
      }
      let scale = common ?? Float(target) / Float(extent)
      let whole = common.map { Int(exactly: ($0 * Float(extent) + 0.5).rounded(.down)) } ?? target
      guard let whole, extent > 0 || whole == 0 else {
        throw .invalidValue(
          input: "sizes", found: "\(sizes)", expected: "0 for an axis without elements")
      }
      plan[axis].scale = scale
      plan[axis].unroundedExtent = common == nil ? Float(whole) : scale * Float(extent)
      plan[axis].extent = .fixed(whole)
    }
  }
}
