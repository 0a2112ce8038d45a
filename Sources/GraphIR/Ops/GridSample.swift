// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

/// Samples of X `[N, C, …]` at the positions of a grid `[N, …, axes]`, whose coordinates run from −1
/// to 1 over the image, the last axis first.
///
/// Source: ONNX, operator GridSample; cubic interpolation after Keys, "Cubic Convolution
/// Interpolation for Digital Image Processing", 1981, with a = −0.75.
public struct GridSample: Op {
  public enum Mode: String, Sendable { case nearest, linear, cubic }
  public enum Outside: String, Sendable { case zeros, border, reflection }

  public var kind: String { "GridSample" }
  public var mode: Mode
  public var outside: Outside
  public var alignsCorners: Bool

  public init(mode: Mode = .linear, outside: Outside = .zeros, alignsCorners: Bool = false) {
    self.mode = mode
    self.outside = outside
    self.alignsCorners = alignsCorners
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "X").type
    let grid = try operands.required(1, "grid").type
    try ElementTypeRule.floating.check(x, "X")
    try ElementTypeRule.floating.check(grid, "grid")
    guard let x, let image = x.dimensions, let places = grid?.dimensions else {
      return [x.map { TensorType($0.elementType, nil) }]
    }
    guard image.count >= 3 else {
      throw .invalidRank(input: "X", found: image.count, expected: "3 or more")
    }
    guard places.count == image.count,
      Dimension.merged(places[0], image[0]) != nil,
      Dimension.merged(places[places.count - 1], .fixed(image.count - 2)) != nil
    else {
      throw .invalidShape(
        input: "grid", found: grid?.shape ?? [],
        expected: "rank \(image.count), the samples of X, \(image.count - 2) coordinates")
    }
    return [TensorType(x.elementType, Array(image[..<2] + places[1..<(places.count - 1)]))]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (x, grid) = (try inputs.required(0, "X"), try inputs.required(1, "grid"))
    let extents = Array(x.shape.dropFirst(2))
    let volume = extents.reduce(1, *)
    guard volume > 0 else {
      throw .invalidShape(input: "X", found: x.shape, expected: "elements to sample")
    }
    let (values, coordinates) = (x.reals(), grid.reals())
    let channels = x.shape[1]
    let shape = results[0].shape
    let count = shape.dropFirst(2).reduce(1, *)
    var samples = [Double](repeating: 0, count: shape.reduce(1, *))
    for image in 0..<x.shape[0] {
      for position in 0..<count {
        let first = (image * count + position) * extents.count
        var points = [(offset: 0, weight: 1.0)]
        for (axis, extent) in extents.enumerated() {
          let line = self.taps(at: coordinates[first + extents.count - 1 - axis], extent: extent)
          points = points.flatMap { tap in
            line.map { (tap.offset * extent + $0.index, tap.weight * $0.weight) }
          }
        }
        for channel in 0..<channels {
          let plane = image * channels + channel
          var sum = 0.0
          for tap in points { sum += values[plane * volume + tap.offset] * tap.weight }
          samples[plane * count + position] = sum
        }
      }
    }
    return [Tensor(reals: samples, shape: shape, elementType: x.elementType)]
  }

  /// The elements of a line that make a sample, those outside that count as zero left out.
  private func taps(at coordinate: Double, extent: Int) -> [(index: Int, weight: Double)] {
    let length = Double(extent)
    var place =
      alignsCorners
      ? (coordinate + 1) / 2 * (length - 1) : ((coordinate + 1) * length - 1) / 2
    // Far positions, and those that are no number, are as good as any outside.
    guard place.isFinite else { return [] }
    place = max(-1e9, min(1e9, place))
    if mode == .nearest { place = place.rounded(.toNearestOrEven) }
    let least = alignsCorners ? 0 : -0.5
    let greatest = alignsCorners ? length - 1 : length - 0.5
    if place < least || place > greatest {
      switch outside {
      case .zeros: break
      case .border: place = max(0, min(length - 1, place))
      case .reflection: place = GridSample.reflected(place, least, greatest)
      }
    }
    let start = Int(place.rounded(.down))
    let fraction = place - Double(start)
    let weights: [(Int, Double)]
    switch mode {
    case .nearest: weights = [(Int(place), 1)]
    case .linear: weights = [(start, 1 - fraction), (start + 1, fraction)]
    case .cubic:
      weights = (-1...2).map { (start + $0, GridSample.cubic(fraction - Double($0))) }
    }
    return weights.compactMap { index, weight in
      if (0..<extent).contains(index) { return (index, weight) }
      switch outside {
      case .zeros: return nil
      case .border: return (max(0, min(extent - 1, index)), weight)
      case .reflection:
        let reflected = Int(GridSample.reflected(Double(index), least, greatest))
        return (max(0, min(extent - 1, reflected)), weight)
      }
    }
  }

  private static func reflected(_ place: Double, _ least: Double, _ greatest: Double) -> Double {
    let range = greatest - least
    guard range > 0 else { return least }
    let distance = place < least ? least - place : place > greatest ? place - greatest : -1
    guard distance >= 0 else { return place }
    let turns = (distance / range).rounded(.down)
    let rest = distance - turns * range
    let returns = turns.truncatingRemainder(dividingBy: 2) == 0
    return (place < least) == returns ? least + rest : greatest - rest
  }

  private static func cubic(_ distance: Double) -> Double {
    let (a, x) = (-0.75, abs(distance))
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    if x < 2 { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
    return 0
  }
}
