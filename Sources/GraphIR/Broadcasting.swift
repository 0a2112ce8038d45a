// SPDX-License-Identifier: Apache-2.0

/// Multidirectional broadcasting: shapes are aligned at their last axis, and extents of one stretch.
///
/// Source: ONNX, "Broadcasting in ONNX".
package enum Broadcasting {
  /// The common shape; `nil` if two extents differ and neither is one.
  package static func shape(_ shapes: [[Int]]) -> [Int]? {
    var result = [Int](repeating: 1, count: shapes.map(\.count).max() ?? 0)
    for shape in shapes {
      let offset = result.count - shape.count
      for (axis, extent) in shape.enumerated() where extent != 1 {
        guard result[offset + axis] == 1 || result[offset + axis] == extent else { return nil }
        result[offset + axis] = extent
      }
    }
    return result
  }

  /// The common dimensions; `nil` if two numbers differ and neither is one.
  ///
  /// A number other than one decides; two different symbols leave the extent unknown.
  package static func dimensions(_ operands: [[Dimension]]) -> [Dimension]? {
    var result = [Dimension](repeating: .fixed(1), count: operands.map(\.count).max() ?? 0)
    for operand in operands {
      let offset = result.count - operand.count
      for (axis, dimension) in operand.enumerated() {
        guard let common = combined(result[offset + axis], dimension) else { return nil }
        result[offset + axis] = common
      }
    }
    return result
  }

  /// Whether an operand may stretch to the given dimensions without changing them.
  package static func canStretch(_ operand: [Dimension], to dimensions: [Dimension]) -> Bool {
    guard operand.count <= dimensions.count else { return false }
    return zip(operand.reversed(), dimensions.reversed()).allSatisfy { found, wanted in
      guard let found = found.value, let wanted = wanted.value else { return true }
      return found == 1 || found == wanted
    }
  }

  /// Element distances by which an input of `shape` is read along the axes of `output`: 0 where
  /// it is stretched.
  ///
  /// - Returns: One distance per axis of `output`; `nil` if `shape` does not broadcast to it.
  package static func strides(of shape: [Int], in output: [Int]) -> [Int]? {
    guard shape.count <= output.count else { return nil }
    var result = [Int](repeating: 0, count: output.count)
    var distance = 1
    for axis in shape.indices.reversed() {
      let position = output.count - shape.count + axis
      if shape[axis] != 1 {
        guard shape[axis] == output[position] else { return nil }
        result[position] = distance
        distance *= shape[axis]
      }
    }
    return result
  }

  /// The input's linear index for each linear index of the output; `nil` if `shape` does not
  /// broadcast to `output`.
  package static func indices(of shape: [Int], in output: [Int]) -> [Int]? {
    guard let rows = BroadcastRows([shape], output: output) else { return nil }
    var result: [Int] = []
    result.reserveCapacity(rows.rowCount * rows.rowLength)
    let step = rows.steps[0]
    rows.forEachRow { _, starts in
      var index = starts[0]
      for _ in 0..<rows.rowLength {
        result.append(index)
        index &+= step
      }
    }
    return result
  }

  private static func combined(_ left: Dimension, _ right: Dimension) -> Dimension? {
    if left == right || right == .fixed(1) { return left }
    if left == .fixed(1) { return right }
    switch (left.value, right.value) {
    case (.some, .some): return nil
    case (.some, nil): return left
    case (nil, .some): return right
    case (nil, nil): return .unknown
    }
  }
}

/// A broadcast output cut into rows along which every input moves by one constant step.
///
/// Neighbouring axes over which all inputs move alike are joined, so that inputs of equal shape
/// give a single row.
package struct BroadcastRows: Sendable {
  package let rowLength: Int
  package let rowCount: Int

  /// For each input, the element distance between neighbours of a row; 0 where it is stretched.
  package let steps: [Int]

  private let outerExtents: [Int]
  private let outerStrides: [[Int]]

  /// The rows of a row-major tensor of shape `output`; `nil` if a shape does not broadcast to it.
  package init?(_ shapes: [[Int]], output: [Int]) {
    var strides: [[Int]] = []
    for shape in shapes {
      guard let distances = Broadcasting.strides(of: shape, in: output) else { return nil }
      strides.append(distances)
    }
    var extents: [Int] = []
    var joined = [[Int]](repeating: [], count: shapes.count)
    for axis in output.indices where output[axis] != 1 {
      let joins =
        !extents.isEmpty
        && shapes.indices.allSatisfy {
          joined[$0][extents.count - 1] == strides[$0][axis] * output[axis]
        }
      if joins { extents[extents.count - 1] *= output[axis] } else { extents.append(output[axis]) }
      for input in shapes.indices {
        if joins { joined[input].removeLast() }
        joined[input].append(strides[input][axis])
      }
    }
    rowLength = extents.popLast() ?? 1
    steps = joined.map { $0.last ?? 0 }
    outerExtents = extents
    outerStrides = joined.map { Array($0.dropLast()) }
    rowCount = extents.reduce(1, *)
  }

  /// Visits the rows in order, with the linear indices at which each starts in the output and
  /// in the inputs.
  package func forEachRow(_ body: (_ output: Int, _ inputs: [Int]) -> Void) {
    guard rowLength > 0 else { return }
    var position = [Int](repeating: 0, count: outerExtents.count)
    var starts = [Int](repeating: 0, count: steps.count)
    for row in 0..<rowCount {
      body(row &* rowLength, starts)
      var axis = outerExtents.count - 1
      while axis >= 0 {
        position[axis] += 1
        for input in starts.indices { starts[input] &+= outerStrides[input][axis] }
        if position[axis] < outerExtents[axis] { break }
        for input in starts.indices {
          starts[input] &-= outerStrides[input][axis] &* outerExtents[axis]
        }
        position[axis] = 0
        axis -= 1
      }
    }
  }
}
