// SPDX-License-Identifier: Apache-2.0
import CKernels

/// A copy between two strided tensors of one shape, planned once.
///
/// Axes are ordered by the target's strides and merged where both sides allow it; a matrix
/// transposition at the bottom goes to its own kernel.
struct StridedCopy: Sendable {
  private let width: Int
  private let extents: [Int]
  private let sourceStrides: [Int]
  private let targetStrides: [Int]

  init(from source: Placement, to target: Placement) {
    width = target.elementType.bitWidth / 8
    var axes = target.shape.indices.filter { target.shape[$0] != 1 }
    axes.sort { (target.strides[$1], $0) < (target.strides[$0], $1) }
    var extents: [Int] = []
    var sourceStrides: [Int] = []
    var targetStrides: [Int] = []
    for axis in axes {
      let extent = target.shape[axis]
      if let last = extents.indices.last, sourceStrides[last] == source.strides[axis] * extent,
        targetStrides[last] == target.strides[axis] * extent
      {
        extents[last] *= extent
        sourceStrides[last] = source.strides[axis]
        targetStrides[last] = target.strides[axis]
      } else {
        extents.append(extent)
        sourceStrides.append(source.strides[axis])
        targetStrides.append(target.strides[axis])
      }
    }
    self.extents = extents
    self.sourceStrides = sourceStrides
    self.targetStrides = targetStrides
  }

  func run(
    from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, threads: Int
  ) {
    guard !extents.contains(0) else { return }
    guard let inner = extents.last else {
      target.copyMemory(from: source, byteCount: width)
      return
    }
    if extents.count == 1, isContiguous {
      target.copyMemory(from: source, byteCount: inner * width)
      return
    }
    if let matrix = transposition {
      let team = matrix.batch * matrix.rows * matrix.columns < 16384 ? 1 : threads
      ThreadTeam.forEachRange(of: matrix.batch * matrix.columns, threads: team) { range in
        swk_transpose(
          source, target, matrix.rows, matrix.columns, width, range.lowerBound, range.upperBound)
      }
      return
    }
    let outer = extents.dropLast().reduce(1, *)
    ThreadTeam.forEachRange(of: outer, threads: outer * inner < 16384 ? 1 : threads) { range in
      var position = self.position(of: range.lowerBound)
      for _ in range {
        copyRow(
          from: source + position.source * width, to: target + position.target * width,
          count: inner)
        advance(&position)
      }
    }
  }

  private var isContiguous: Bool { sourceStrides.last == 1 && targetStrides.last == 1 }

  /// `[batch, rows, columns]` in the source becomes `[batch, columns, rows]`.
  private var transposition: (batch: Int, rows: Int, columns: Int)? {
    let rank = extents.count
    guard rank == 2 || rank == 3, width == 1 || width == 2 || width == 4 || width == 8 else {
      return nil
    }
    let columns = extents[rank - 2]
    let rows = extents[rank - 1]
    guard targetStrides[rank - 1] == 1, targetStrides[rank - 2] == rows,
      sourceStrides[rank - 2] == 1, sourceStrides[rank - 1] == columns
    else { return nil }
    if rank == 3 {
      guard targetStrides[0] == rows * columns, sourceStrides[0] == rows * columns else {
        return nil
      }
      return (extents[0], rows, columns)
    }
    return (1, rows, columns)
  }

  private struct Position {
    var indices: [Int]
    var source: Int
    var target: Int
  }

  private func position(of row: Int) -> Position {
    var position = Position(
      indices: [Int](repeating: 0, count: extents.count - 1), source: 0, target: 0)
    var rest = row
    for axis in stride(from: extents.count - 2, through: 0, by: -1) {
      position.indices[axis] = rest % extents[axis]
      rest /= extents[axis]
      position.source += position.indices[axis] * sourceStrides[axis]
      position.target += position.indices[axis] * targetStrides[axis]
    }
    return position
  }

  private func advance(_ position: inout Position) {
    for axis in stride(from: extents.count - 2, through: 0, by: -1) {
      position.indices[axis] += 1
      position.source += sourceStrides[axis]
      position.target += targetStrides[axis]
      if position.indices[axis] < extents[axis] { return }
      position.source -= extents[axis] * sourceStrides[axis]
      position.target -= extents[axis] * targetStrides[axis]
      position.indices[axis] = 0
    }
  }

  private func copyRow(
    from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int
  ) {
    if isContiguous {
      target.copyMemory(from: source, byteCount: count * width)
      return
    }
    switch width {
    case 1: copyElements(UInt8.self, from: source, to: target, count: count)
    case 2: copyElements(UInt16.self, from: source, to: target, count: count)
    case 4: copyElements(UInt32.self, from: source, to: target, count: count)
    default: copyElements(UInt64.self, from: source, to: target, count: count)
    }
  }

  @inline(__always)
  private func copyElements<Element: BitwiseCopyable>(
    _ type: Element.Type, from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer,
    count: Int
  ) {
    let input = source.assumingMemoryBound(to: type)
    let output = target.assumingMemoryBound(to: type)
    let read = sourceStrides[sourceStrides.count - 1]
    let write = targetStrides[targetStrides.count - 1]
    for index in 0..<count { output[index * write] = input[index * read] }
  }
}
