// SPDX-License-Identifier: Apache-2.0

/// Which elements of a tensor share a scale: all, those of one index of an axis, or blocks of an axis.
///
/// Source: ONNX, operators QuantizeLinear and DequantizeLinear.
package struct ScaleLayout: Sendable, Equatable {
  private let outer: Int
  private let extent: Int
  private let inner: Int
  private let block: Int
  private let isBlocked: Bool

  /// The layout for a tensor and its scales.
  ///
  /// - Parameters:
  ///   - x: Shape of the tensor.
  ///   - scale: One element; the extent of `axis`; or, if `blockSize` is positive, the shape of the
  ///     tensor with the extent of `axis` divided by `blockSize`, rounded up.
  /// - Throws: `OpError` if the shapes do not fit.
  package init(x: [Int], scale: [Int], axis: Int, blockSize: Int) throws(OpError) {
    try Self.check(
      x: x.map { .fixed($0) }, scale: scale.map { .fixed($0) }, axis: axis, blockSize: blockSize)
    if scale.allSatisfy({ $0 == 1 }) {
      outer = 1
      extent = 1
      inner = x.reduce(1, *)
      block = 1
      isBlocked = false
    } else {
      let position = try Axes.normalized(axis, rank: x.count)
      outer = x.prefix(position).reduce(1, *)
      extent = x[position]
      inner = x.dropFirst(position + 1).reduce(1, *)
      block = max(1, blockSize)
      isBlocked = blockSize > 0
    }
  }

  /// Checks what is known of the shapes.
  ///
  /// - Throws: `OpError` if they do not fit.
  static func check(
    x: [Dimension]?, scale: [Dimension]?, axis: Int, blockSize: Int
  ) throws(OpError) {
    guard blockSize >= 0 else {
      throw .invalidAttribute(name: "block_size", found: String(blockSize), expected: "0 or more")
    }
    guard let x, let scale, scale.contains(where: { ($0.value ?? 1) != 1 }) else { return }
    if blockSize == 0 {
      guard scale.count == 1 else {
        throw .invalidRank(
          input: "scale", found: scale.count, expected: "0 or 1 where there are no blocks")
      }
      guard let count = scale[0].value else { return }
      let position = try Axes.normalized(axis, rank: x.count)
      guard let extent = x[position].value, extent != count else { return }
      throw .invalidShape(input: "scale", found: [count], expected: "[1] or [\(extent)]")
    }
    guard scale.count == x.count else {
      throw .invalidRank(
        input: "scale", found: scale.count, expected: "\(x.count) for blocks, the rank of x")
    }
    let position = try Axes.normalized(axis, rank: x.count)
    for index in x.indices {
      guard let extent = x[index].value, let found = scale[index].value else { continue }
      let blocks = extent / blockSize + (extent % blockSize == 0 ? 0 : 1)
      let expected = index == position ? blocks : extent
      guard found == expected else {
        throw .invalidShape(
          input: "scale", found: scale.compactMap(\.value),
          expected: "\(expected) on axis \(index)")
      }
    }
  }

  /// Visits the elements in order, in runs whose scales are neighbours or the same.
  ///
  /// - Parameter body: Called with the linear indices of the run, the index of its first scale,
  ///   and the distance from one element's scale to the next one's: 0 or 1.
  package func forEachRun(
    _ body: (_ elements: Swift.Range<Int>, _ scale: Int, _ step: Int) -> Void
  ) {
    let blocks = extent / block + (extent % block == 0 ? 0 : 1)
    for slice in 0..<outer {
      for index in 0..<extent {
        let start = (slice * extent + index) * inner
        let scale = isBlocked ? (slice * blocks + index / block) * inner : index
        body(start..<(start + inner), scale, isBlocked ? 1 : 0)
      }
    }
  }
}
