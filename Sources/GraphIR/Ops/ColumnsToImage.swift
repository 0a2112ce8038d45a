// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Adds up blocks into images: the reverse of cutting an image into the windows of a convolution.
///
/// Inputs columns `[N, C · block, windows]`, the image's shape and the block's.
public struct ColumnsToImage: Op {
  public var kind: String { "Col2Im" }
  /// Empty lists mean 1 along every spatial axis, and no padding.
  public var strides: [Int]
  public var dilations: [Int]
  public var pads: [Int]

  public init(strides: [Int] = [], dilations: [Int] = [], pads: [Int] = []) {
    self.strides = strides
    self.dilations = dilations
    self.pads = pads
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...3)
    try checkOutputCount(outputCount, 1...1)
    let columns = try operands.required(0, "input").type
    try ElementTypeRule.floating.check(columns, "input")
    let image = try operands.required(1, "image_shape").checkedContents("image_shape")
    let block = try operands.required(2, "block_shape").checkedIntegers("block_shape")
    guard let columns, let given = columns.dimensions else { return [columns] }
    guard given.count == 3 else {
      throw .invalidRank(input: "input", found: given.count, expected: "3")
    }
    guard let image, let block else { return [TensorType(columns.elementType, nil)] }
    var channels = Dimension.unknown
    let volume = Dimension.product(block.map { .fixed($0) })
    if let rows = given[1].value {
      guard let volume = volume.value, volume > 0, rows % volume == 0 else {
        throw .invalidShape(
          input: "input", found: columns.shape ?? [rows], expected: "blocks of \(volume) rows")
      }
      channels = .fixed(rows / volume)
    }
    let known = image.compactMap(\.value)
    if known.count == image.count {
      let windows = try geometry(known, block).output.map { Dimension.fixed($0) }
      guard Dimension.merged(given[2], Dimension.product(windows)) != nil else {
        throw .invalidShape(
          input: "input", found: columns.shape ?? [],
          expected: "\(Dimension.product(windows)) windows")
      }
    }
    return [TensorType(columns.elementType, [given[0], channels] + image)]
  }

  private func geometry(_ image: [Int], _ block: [Int]) throws(OpError) -> WindowGeometry {
    try WindowGeometry(
      input: image, kernel: block, strides: strides, dilations: dilations,
      padding: .explicit(pads))
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let columns = try inputs.required(0, "input")
    let image = try inputs.required(1, "image_shape").integers().map { Int($0) }
    let block = try inputs.required(2, "block_shape").integers().map { Int($0) }
    let geometry = try geometry(image, block)
    let values = columns.reals()
    let (taps, windows) = (block.reduce(1, *), columns.shape[2])
    let volume = image.reduce(1, *)
    let planes = columns.shape[0] * columns.shape[1] / taps
    var sums = [Double](repeating: 0, count: planes * volume)
    for tap in 0..<taps {
      let place = ColumnsToImage.position(tap, in: block)
      for window in 0..<windows {
        let at = ColumnsToImage.position(window, in: geometry.output)
        var offset: Int? = 0
        for axis in image.indices {
          let index =
            at[axis] * geometry.strides[axis] + place[axis] * geometry.dilations[axis]
            - geometry.padsBegin[axis]
          offset = (0..<image[axis]).contains(index) ? offset.map { $0 * image[axis] + index } : nil
        }
        guard let offset else { continue }
        for plane in 0..<planes {
          sums[plane * volume + offset] += values[(plane * taps + tap) * windows + window]
        }
      }
    }
    return [
      Tensor(reals: sums, shape: results[0].shape, elementType: columns.elementType)
    ]
  }

  private static func position(_ index: Int, in shape: [Int]) -> [Int] {
    var rest = index
    var result = [Int](repeating: 0, count: shape.count)
    for axis in shape.indices.reversed() {
      result[axis] = rest % shape[axis]
      rest /= shape[axis]
    }
    return result
  }
}
