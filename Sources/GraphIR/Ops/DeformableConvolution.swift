// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Convolution of images whose taps are moved by offsets and weighted; inputs X `[N, C, H, W]`,
/// weights `[M, C / group, kh, kw]`, offsets `[N, groups · kh · kw · 2, oh, ow]`, and optionally a bias
/// and a mask `[N, groups · kh · kw, oh, ow]`.
///
/// Source: Zhu et al., "Deformable ConvNets v2", 2018; ONNX, operator DeformConv.
public struct DeformableConvolution: Op {
  public var kind: String { "DeformConv" }
  /// Empty lists mean 1 along every spatial axis, and no padding.
  public var strides: [Int]
  public var dilations: [Int]
  public var pads: [Int]
  public var group: Int
  /// Groups of input channels with offsets of their own.
  public var offsetGroups: Int

  public init(
    strides: [Int] = [], dilations: [Int] = [], pads: [Int] = [], group: Int = 1,
    offsetGroups: Int = 1
  ) {
    self.strides = strides
    self.dilations = dilations
    self.pads = pads
    self.group = group
    self.offsetGroups = offsetGroups
  }

  private func geometry(_ x: [Int], _ w: [Int]) throws(OpError) -> WindowGeometry {
    try WindowGeometry(
      input: Array(x[2...]), kernel: Array(w[2...]), strides: strides, dilations: dilations,
      padding: .explicit(pads))
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...5)
    try checkOutputCount(outputCount, 1...1)
    var shapes: [[Int]?] = []
    for (index, name) in ["X", "W", "offset", "B", "mask"].enumerated() {
      guard let operand = operands.optional(index) else {
        if index < 3 { throw .missingInput(name: name) }
        shapes.append(nil)
        continue
      }
      try ElementTypeRule.floating.check(operand.type, name)
      let rank = index == 3 ? 1 : 4
      if let found = operand.type?.rank, found != rank {
        throw .invalidRank(input: name, found: found, expected: "\(rank)")
      }
      shapes.append(operand.type?.shape)
    }
    guard let type = operands[0]?.type?.elementType else { return [nil] }
    guard let x = shapes[0], let w = shapes[1] else {
      return [TensorType(type, Array(repeating: .unknown, count: 4))]
    }
    guard group > 0, offsetGroups > 0, x[1] == w[1] * group, w[0] % group == 0,
      x[1] % offsetGroups == 0
    else {
      throw .invalidShape(
        input: "W", found: w, expected: "\(x[1]) channels in \(group) groups")
    }
    let output = try geometry(x, w).output
    let taps = offsetGroups * w[2] * w[3]
    for (index, rows) in [(2, 2 * taps), (4, taps)] {
      guard let found = shapes[index] else { continue }
      guard found == [x[0], rows] + output else {
        throw .invalidShape(
          input: index == 2 ? "offset" : "mask", found: found, expected: "\([x[0], rows] + output)")
      }
    }
    if let bias = shapes[3], bias != [w[0]] {
      throw .invalidShape(input: "B", found: bias, expected: "[\(w[0])]")
    }
    return [TensorType(type, shape: [x[0], w[0]] + output)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (x, w) = (try inputs.required(0, "X"), try inputs.required(1, "W"))
    let geometry = try geometry(x.shape, w.shape)
    let offsets = try inputs.required(2, "offset").reals()
    let (bias, mask) = (inputs.optional(3)?.reals(), inputs.optional(4)?.reals())
    let (pixels, weights) = (x.reals(), w.reals())
    let (height, width) = (x.shape[2], x.shape[3])
    let (channels, inner, filters) = (x.shape[1], w.shape[1], w.shape[0])
    let (kernelWidth, taps) = (w.shape[3], w.shape[2] * w.shape[3])
    let (outputWidth, cells) = (geometry.output[1], geometry.output.reduce(1, *))
    var output = [Double](repeating: 0, count: results[0].shape.reduce(1, *))
    var columns = [Double](repeating: 0, count: channels * taps)
    for image in 0..<x.shape[0] {
      for cell in 0..<cells {
        for channel in 0..<channels {
          let part = channel / (channels / offsetGroups)
          let plane = (image * channels + channel) * height * width
          for tap in 0..<taps {
            let row = (image * offsetGroups + part) * taps + tap
            let y =
              position(geometry, 0, cell / outputWidth, tap / kernelWidth)
              + offsets[2 * row * cells + cell]
            let x =
              position(geometry, 1, cell % outputWidth, tap % kernelWidth)
              + offsets[(2 * row + 1) * cells + cell]
            let value = sample(pixels, plane, height, width, y, x)
            columns[channel * taps + tap] = value * (mask.map { $0[row * cells + cell] } ?? 1)
          }
        }
        for filter in 0..<filters {
          var sum = bias.map { $0[filter] } ?? 0
          let first = filter / (filters / group) * inner
          for index in 0..<(inner * taps) {
            sum += weights[filter * inner * taps + index] * columns[first * taps + index]
          }
          output[(image * filters + filter) * cells + cell] = sum
        }
      }
    }
    return [Tensor(reals: output, shape: results[0].shape, elementType: x.elementType)]
  }

  private func position(
    _ geometry: WindowGeometry, _ axis: Int, _ place: Int, _ tap: Int
  ) -> Double {
    Double(
      place * geometry.strides[axis] + tap * geometry.dilations[axis] - geometry.padsBegin[axis])
  }

  /// Bilinear interpolation with zeros outside.
  private func sample(
    _ pixels: [Double], _ plane: Int, _ height: Int, _ width: Int, _ y: Double, _ x: Double
  ) -> Double {
    guard y > -1, y < Double(height), x > -1, x < Double(width) else { return 0 }
    let (top, left) = (Int(y.rounded(.down)), Int(x.rounded(.down)))
    var sum = 0.0
    for (row, vertical) in [(top, 1 - (y - Double(top))), (top + 1, y - Double(top))]
    where (0..<height).contains(row) {
      for (column, horizontal) in [(left, 1 - (x - Double(left))), (left + 1, x - Double(left))]
      where (0..<width).contains(column) {
        sum += pixels[plane + row * width + column] * vertical * horizontal
      }
    }
    return sum
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    guard let w = inputs.optional(1)?.shape, let y = outputs.first.flatMap({ $0 })?.shape,
      w.count == 4
    else { return nil }
    let (work, overflow) = y.reduce(1, *)
      .multipliedReportingOverflow(by: w[1] * w[2] * w[3])
    return overflow ? nil : OpCost(multiplyAccumulates: work)
  }
}
