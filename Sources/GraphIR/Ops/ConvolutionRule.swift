// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// The shape rule and the loops that all convolutions share, whatever their numbers mean.
struct ConvolutionRule {
  var strides: [Int]
  var dilations: [Int]
  var padding: Padding
  var group: Int

  /// Dimensions of the output, as far as they follow; `nil` if not even the rank is known.
  func outputDimensions(x: [Dimension]?, w: [Dimension]?) throws(OpError) -> [Dimension]? {
    guard group >= 1 else {
      throw .invalidAttribute(name: "group", found: String(group), expected: "1 or more")
    }
    if let x, x.count < 3 {
      throw .invalidRank(input: "X", found: x.count, expected: "3 or more")
    }
    if let w, w.count < 3 {
      throw .invalidRank(input: "W", found: w.count, expected: "3 or more")
    }
    if let x, let w, x.count != w.count {
      throw .invalidRank(input: "W", found: w.count, expected: "\(x.count), the rank of X")
    }
    if let outputs = w?[0].value, outputs % group != 0 {
      throw .invalidShape(
        input: "W", found: [outputs], expected: "a multiple of the \(group) groups on axis 0")
    }
    if let channels = x?[1].value, let taken = w?[1].value {
      let (expected, overflow) = taken.multipliedReportingOverflow(by: group)
      guard !overflow, expected == channels else {
        throw .invalidShape(
          input: "X", found: [channels],
          expected: "\(taken) channels for each of the \(group) groups on axis 1")
      }
    }
    guard let rank = x?.count ?? w?.count else { return nil }
    let unknown = [Dimension](repeating: .unknown, count: rank - 2)
    let kernel = w?.dropFirst(2).compactMap(\.value) ?? []
    var spatial = unknown
    if kernel.count == rank - 2 {
      spatial = try WindowGeometry.outputDimensions(
        input: x.map { Array($0.dropFirst(2)) } ?? unknown, kernel: kernel, strides: strides,
        dilations: dilations, padding: padding)
    }
    return [x?[0] ?? .unknown, w?[0] ?? .unknown] + spatial
  }

  /// Correlates `x` with the windows of `w`.
  ///
  /// - Parameters:
  ///   - x: `[N, C, …]` of shape `xShape`, row-major; padding counts as 0.
  ///   - w: `[M, C/group, …]` of shape `wShape`, row-major.
  ///   - bias: What each output channel starts from, `[M]`.
  /// - Returns: `[N, M, …]`, row-major. The shapes must have passed `outputDimensions`.
  func evaluate(
    _ x: [Double], xShape: [Int], _ w: [Double], wShape: [Int], bias: [Double]?
  ) throws(OpError) -> [Double] {
    let geometry = try WindowGeometry(
      input: Array(xShape.dropFirst(2)), kernel: Array(wShape.dropFirst(2)), strides: strides,
      dilations: dilations, padding: padding)
    let positions = geometry.output.reduce(1, *)
    let (batch, outputs) = (xShape[0], wShape[0])
    var result = [Double](repeating: 0, count: batch * outputs * positions)
    if let bias {
      for row in 0..<(batch * outputs) {
        let start = bias[row % outputs]
        for index in (row * positions)..<((row + 1) * positions) { result[index] = start }
      }
    }
    guard !result.isEmpty, !w.isEmpty, !x.isEmpty else { return result }
    let depth = w.count / outputs
    let (taken, made) = (wShape[1], outputs / group)
    let volume = geometry.input.reduce(1, *)
    let width = max(1, min(positions, min(256, (1 << 21) / depth)))
    for image in 0..<batch {
      for part in 0..<group {
        let channel = (image * xShape[1] + part * taken) * volume
        for first in stride(from: 0, to: positions, by: width) {
          let columns = first..<min(positions, first + width)
          let patches = geometry.patches(x, from: channel, channels: taken, columns: columns)
          DenseProduct.add(
            w, from: part * made * depth, patches, from: 0, rows: made, depth: depth,
            columns: columns.count, to: &result,
            at: (image * outputs + part * made) * positions + first, stride: positions)
        }
      }
    }
    return result
  }

  /// Products of a convolution with known shapes; `nil` if they are open or beyond counting.
  static func multiplyAccumulates(output: TensorType?, w: TensorType?) -> OpCost? {
    guard let output = output?.shape, let w = w?.shape, w.count >= 2 else { return nil }
    return OpCost(products: output + w.dropFirst())
  }
}

extension OpCost {
  /// The product of the factors as multiply-accumulates; `nil` if it overflows.
  init?(products factors: [Int]) {
    var total = 1
    for factor in factors {
      let (product, overflow) = total.multipliedReportingOverflow(by: factor)
      if overflow { return nil }
      total = product
    }
    self.init(multiplyAccumulates: total)
  }
}

extension WindowGeometry {
  /// The inputs under the windows at some output positions, as a matrix.
  ///
  /// - Parameters:
  ///   - x: Channel-major input; the first channel starts at `start`.
  ///   - columns: Linear output positions.
  /// - Returns: `[channels · taps, columns]`, row-major, 0 in the padding.
  func patches(
    _ x: [Double], from start: Int, channels: Int, columns: Swift.Range<Int>
  ) -> [Double] {
    let last = kernel.count - 1
    let taps = kernel.reduce(1, *)
    let volume = input.reduce(1, *)
    let inputStrides = Tensor.strides(of: input)
    let outer = taps / kernel[last]
    var result = [Double](repeating: 0, count: channels * taps * columns.count)
    var column = columns.lowerBound
    while column < columns.upperBound {
      let from = column % output[last]
      let to = min(output[last], from + columns.upperBound - column)
      let offset = column - columns.lowerBound - from
      for outerTap in 0..<outer {
        guard let base = base(outerTap: outerTap, row: column / output[last], inputStrides) else {
          continue
        }
        for tap in 0..<kernel[last] {
          let covered = positions(axis: last, tap: tap).clamped(to: from..<to)
          if covered.isEmpty { continue }
          let shift = base + tap * dilations[last] - padsBegin[last]
          for channel in 0..<channels {
            var source =
              start &+ channel &* volume &+ shift &+ covered.lowerBound &* strides[last]
            let row = (channel &* taps &+ outerTap &* kernel[last] &+ tap) &* columns.count
            for position in covered {
              result[row &+ offset &+ position] = x[source]
              source &+= strides[last]
            }
          }
        }
      }
      column += to - from
    }
    return result
  }

  /// Where in a channel the line starts that a tap of the axes before the last reads at an output
  /// row; `nil` in the padding.
  private func base(outerTap: Int, row: Int, _ inputStrides: [Int]) -> Int? {
    var tap = outerTap
    var position = row
    var base = 0
    for axis in (0..<(kernel.count - 1)).reversed() {
      let place =
        position % output[axis] * strides[axis] + tap % kernel[axis] * dilations[axis]
        - padsBegin[axis]
      guard place >= 0, place < input[axis] else { return nil }
      base += place * inputStrides[axis]
      position /= output[axis]
      tap /= kernel[axis]
    }
    return base
  }
}
