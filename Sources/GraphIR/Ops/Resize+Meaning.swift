// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

extension Resize {
  /// The input resampled along all axes, one after another.
  ///
  /// Source: ONNX, "Resize". Positions are computed in `Float`, as files expect where a
  /// position falls between two neighbours; weights and sums in `Double`.
  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    let x = try inputs.required(0, "X")
    try ResultLimit.check(x.shape, x.elementType)
    let operands = inputs.map { $0.map { Operand($0) } }
    let plan = try plan(operands, x.shape.map { .fixed($0) }) ?? []
    if result.shape.contains(0) { return [Tensor(zerosOf: x.elementType, shape: result.shape)] }
    if x.count == 0 {
      throw .invalidShape(input: "X", found: x.shape, expected: "elements to resample")
    }
    let axes = zip(x.shape, plan).map {
      AxisSampling(self, extent: $0, result: $1.extent.value ?? 0, plan: $1)
    }
    let resampled =
      mode == .nearest
      ? try picked(x, axes, shape: result.shape) : try interpolated(x, axes, shape: result.shape)
    return [try extrapolated(resampled, axes)]
  }

  /// Along each axis, which indices of the input every position is the weighted sum of; `nil` for
  /// an axis that stays as it is.
  ///
  /// - Parameters:
  ///   - inputs: The operands; scales, sizes and region must be constants.
  ///   - shape: That of the first.
  /// - Returns: `nil` where the result is none of such sums alone, or an operand is not known.
  /// - Throws: `OpError` if the operands break the operator's rules.
  package func weightedIndices(
    _ inputs: [Operand?], shape: [Int]
  ) throws(OpError) -> [[[(index: Int, weight: Double)]]?]? {
    guard coordinates != .cropAndResize, !shape.contains(0),
      let plan = try plan(inputs, shape.map { .fixed($0) })
    else { return nil }
    return zip(shape, plan).map { extent, axis in
      AxisSampling(self, extent: extent, result: axis.extent.value ?? 0, plan: axis).positions
    }
  }

  private func picked(
    _ x: Tensor, _ axes: [AxisSampling], shape: [Int]
  ) throws(OpError) -> Tensor {
    let sourceStrides = Tensor.strides(of: x.shape)
    let targetStrides = Tensor.strides(of: shape)
    let loops = axes.indices.map { axis in
      let stride = sourceStrides[axis]
      return MoveAxis(
        extent: shape[axis], sourceStride: stride, targetStride: targetStrides[axis],
        sourceOffsets: axes[axis].isIdentity ? nil : axes[axis].nearest.map { $0 * stride })
    }
    return try x.moved(to: shape, along: loops)
  }

  private func interpolated(
    _ x: Tensor, _ axes: [AxisSampling], shape: [Int]
  ) throws(OpError) -> Tensor {
    var values = x.reals()
    var present = x.shape
    for (axis, sampling) in axes.enumerated() where !sampling.isIdentity {
      let inner = present[(axis + 1)...].reduce(1, *)
      let outer = present[..<axis].reduce(1, *)
      let extent = present[axis]
      present[axis] = shape[axis]
      try ResultLimit.check(present, .float64)
      values = sampling.resampled(values, outer: outer, extent: extent, inner: inner)
    }
    if let range = x.elementType.integerRange {
      values = values.map { min(max($0, Double(range.lowerBound)), Double(range.upperBound)) }
    }
    return Tensor(reals: values, shape: shape, elementType: x.elementType)
  }

  /// The result with the extrapolation value wherever a position lies outside the input.
  private func extrapolated(
    _ tensor: Tensor, _ axes: [AxisSampling]
  ) throws(OpError) -> Tensor {
    guard coordinates == .cropAndResize, axes.contains(where: { $0.isOutside.contains(true) })
    else { return tensor }
    let strides = Tensor.strides(of: tensor.shape)
    let positions = (0..<tensor.count).filter { position in
      axes.indices.contains { axes[$0].isOutside[position / strides[$0] % tensor.shape[$0]] }
    }
    let value = Tensor(
      reals: [Double(extrapolationValue)], shape: [], elementType: tensor.elementType)
    var buffer = ElementBuffer(tensor)
    let fill = ElementBuffer(
      tensor.elementType, count: positions.count, filledWith: ElementBuffer(value))
    try buffer.scatter(fill, to: positions)
    return buffer.tensor(shape: tensor.shape)
  }
}

/// What each position of one axis of the result is computed from.
private struct AxisSampling {
  let isIdentity: Bool
  /// The nearest index of the input, per position; empty unless the mode is nearest.
  private(set) var nearest: [Int] = []
  /// The indices of the input and their weights, of all positions.
  private var taps: [(index: Int, weight: Double)] = []
  /// Where the taps of each position begin, and the end of the last.
  private var starts = [0]
  /// Whether a position lies outside the input, for crops.
  private(set) var isOutside: [Bool] = []

  init(_ op: Resize, extent: Int, result: Int, plan: ResizeAxis) {
    let isCrop = op.coordinates == .cropAndResize
    isIdentity = !isCrop && extent == result && plan.scale == 1
    if isIdentity { return }
    let positions = (0..<result).map { place in
      op.position(Float(place), extent: Float(extent), result: Float(result), plan: plan)
    }
    if isCrop { isOutside = positions.map { !($0 >= 0 && $0 <= Float(extent - 1)) } }
    if op.mode == .nearest {
      nearest = positions.map { min(max(op.rounded($0), 0), extent - 1) }
    } else {
      for position in positions {
        taps += op.taps(at: position, extent: extent, scale: Double(plan.scale))
        starts.append(taps.count)
      }
    }
  }

  /// The indices and weights of each position; `nil` for an axis that stays as it is.
  var positions: [[(index: Int, weight: Double)]]? {
    if isIdentity { return nil }
    if !nearest.isEmpty { return nearest.map { [($0, 1)] } }
    return zip(starts, starts.dropFirst()).map { Array(taps[$0..<$1]) }
  }

  /// The weighted sums along the middle one of three axes, `[outer, extent, inner]`.
  func resampled(_ values: [Double], outer: Int, extent: Int, inner: Int) -> [Double] {
    let count = starts.count - 1
    var result = [Double](repeating: 0, count: outer * count * inner)
    for row in 0..<outer {
      for position in 0..<count {
        let to = (row * count + position) * inner
        for tap in starts[position]..<starts[position + 1] {
          let weight = taps[tap].weight
          let from = (row * extent + taps[tap].index) * inner
          for column in 0..<inner { result[to + column] += weight * values[from + column] }
        }
      }
    }
    return result
  }
}

extension Resize {
  /// Where a position of the result lies in the input.
  fileprivate func position(
    _ x: Float, extent: Float, result: Float, plan: ResizeAxis
  ) -> Float {
    let center = (x + 0.5) / plan.scale - 0.5
    switch coordinates {
    case .halfPixel: return center
    case .halfPixelSymmetric:
      return extent / 2 * (1 - result / plan.unroundedExtent) + center
    case .pytorchHalfPixel: return result > 1 ? center : 0
    case .alignCorners:
      return plan.unroundedExtent == 1 ? 0 : x * (extent - 1) / (plan.unroundedExtent - 1)
    case .asymmetric: return x / plan.scale
    case .halfPixelForNearest: return (x + 0.5) / plan.scale
    case .cropAndResize:
      let (start, end) = plan.region
      if result <= 1 { return 0.5 * (start + end) * (extent - 1) }
      return start * (extent - 1) + x * (end - start) * (extent - 1) / (result - 1)
    }
  }

  fileprivate func rounded(_ position: Float) -> Int {
    switch rounding {
    case .preferFloor: Resize.whole((position - 0.5).rounded(.up))
    case .preferCeil: Resize.whole((position + 0.5).rounded(.down))
    case .floor: Resize.whole(position.rounded(.down))
    case .ceil: Resize.whole(position.rounded(.up))
    }
  }

  private static func whole(_ value: Float) -> Int {
    value.isNaN ? 0 : Int(min(max(value, -0x1p40), 0x1p40))
  }

  /// The neighbours of a position and their weights, by the kernel's definition.
  fileprivate func taps(
    at position: Float, extent: Int, scale: Double
  ) -> [(index: Int, weight: Double)] {
    let base = Resize.whole(position.rounded(.down))
    let ratio = position.isFinite ? Double(position) - Double(base) : 0
    let shrink = antialiases ? min(scale, 1) : 1
    let radius = mode == .linear ? 1 : 2
    // No kernel need reach further than the input is long, on either side.
    let reach = min(Double(radius) / shrink, Double(2 * extent + 2 * radius))
    let first = Int((-reach).rounded(.down)) + 1
    var taps: [(index: Int, weight: Double)] = []
    for step in first..<(2 * radius - first) {
      let weight = kernel((Double(step) - ratio) * shrink)
      let index = base + step
      let isOutside = index < 0 || index >= extent
      if weight == 0 || excludesOutside && isOutside { continue }
      taps.append((min(max(index, 0), extent - 1), weight))
    }
    guard antialiases || excludesOutside else { return taps }
    let sum = taps.reduce(0) { $0 + $1.weight }
    return sum == 0 ? taps : taps.map { ($0.index, $0.weight / sum) }
  }

  private func kernel(_ distance: Double) -> Double {
    let t = distance.magnitude
    if mode == .linear { return max(0, 1 - t) }
    let a = Double(cubicCoefficient)
    if t <= 1 { return ((a + 2) * t - (a + 3)) * t * t + 1 }
    return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0
  }
}
