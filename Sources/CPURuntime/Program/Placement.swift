// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// The order in memory of a dense tensor's axes.
public enum Layout: Hashable, Sendable {
  /// Row-major.
  case plain
  /// The channel axis (1) innermost; the same as `plain` below rank 3.
  case channelsLast

  /// Element strides of a dense tensor.
  package func strides(of shape: [Int]) -> [Int] {
    guard self == .channelsLast, shape.count >= 3 else { return Tensor.strides(of: shape) }
    let spatial = Array(shape[2...])
    let inner = Tensor.strides(of: spatial + [shape[1]])
    return [spatial.reduce(shape[1], *), 1] + inner.dropLast()
  }
}

/// Where a tensor lies: a buffer, an offset, and a stride per axis.
package struct Placement: Hashable, Sendable {
  /// Index into the builder's buffers.
  package var buffer: Int
  /// In bytes from the start of the buffer.
  package var offset: Int = 0
  package var elementType: ElementType
  package var shape: [Int]
  /// In elements.
  package var strides: [Int]

  package init(
    buffer: Int, offset: Int = 0, elementType: ElementType, shape: [Int], strides: [Int]
  ) {
    self.buffer = buffer
    self.offset = offset
    self.elementType = elementType
    self.shape = shape
    self.strides = strides
  }

  package var count: Int { shape.reduce(1, *) }
  package var byteCount: Int { elementType.byteCount(of: count) }

  /// Whether the elements lie in the given order without gaps; axes of extent one don't count.
  package func isDense(_ layout: Layout) -> Bool {
    if count == 0 { return true }
    let dense = layout.strides(of: shape)
    return zip(shape, zip(strides, dense)).allSatisfy { $0 == 1 || $1.0 == $1.1 }
  }

  /// Whether the elements lie without gaps or repetitions, whatever the order of axes.
  package var isPacked: Bool {
    let order = shape.indices.filter { shape[$0] != 1 }.sorted { strides[$0] > strides[$1] }
    var expected = 1
    for axis in order.reversed() {
      guard strides[axis] == expected else { return false }
      expected *= shape[axis]
    }
    return true
  }

  /// The same elements under another shape, where no copy is needed for that.
  ///
  /// Walks both shapes from the front, matching runs of axes with equal products; within a run
  /// the old axes must lie regularly behind each other.
  package func reshaped(to newShape: [Int]) -> Placement? {
    guard newShape.reduce(1, *) == count else { return nil }
    var result = self
    result.shape = newShape
    if count == 0 {
      result.strides = Tensor.strides(of: newShape)
      return result
    }
    let axes = shape.indices.filter { shape[$0] != 1 }
    let old = axes.map { shape[$0] }
    let oldStrides = axes.map { strides[$0] }
    var newStrides = [Int](repeating: 1, count: newShape.count)
    var oldStart = 0
    var newStart = 0
    while oldStart < old.count {
      var oldEnd = oldStart + 1
      var newEnd = newStart
      var oldProduct = old[oldStart]
      var newProduct = 1
      while newEnd < newShape.count, newProduct == 1 || newProduct < oldProduct {
        newProduct *= newShape[newEnd]
        newEnd += 1
      }
      while oldProduct != newProduct {
        if oldProduct < newProduct {
          guard oldEnd < old.count else { return nil }
          oldProduct *= old[oldEnd]
          oldEnd += 1
        } else {
          guard newEnd < newShape.count else { return nil }
          newProduct *= newShape[newEnd]
          newEnd += 1
        }
      }
      for axis in oldStart..<(oldEnd - 1)
      where oldStrides[axis] != oldStrides[axis + 1] * old[axis + 1] { return nil }
      var step = oldStrides[oldEnd - 1]
      for axis in stride(from: newEnd - 1, through: newStart, by: -1) {
        newStrides[axis] = step
        step *= newShape[axis]
      }
      oldStart = oldEnd
      newStart = newEnd
    }
    result.strides = newStrides
    return result
  }

  /// The axes in another order.
  package func transposed(_ permutation: [Int]) -> Placement {
    var result = self
    result.shape = permutation.map { shape[$0] }
    result.strides = permutation.map { strides[$0] }
    return result
  }

  /// The part of `extent` indices from `start` along an axis, every `step`-th.
  package func sliced(axis: Int, start: Int, extent: Int, step: Int = 1) -> Placement {
    var result = self
    result.offset += start * strides[axis] * elementType.bitWidth / 8
    result.shape[axis] = extent
    result.strides[axis] *= step
    return result
  }

  /// Repeats axes of extent one, without copying, to a shape of at least this rank.
  package func expanded(to newShape: [Int]) -> Placement? {
    guard newShape.count >= shape.count else { return nil }
    let missing = newShape.count - shape.count
    var result = self
    result.shape = newShape
    result.strides = [Int](repeating: 0, count: newShape.count)
    for axis in shape.indices {
      if shape[axis] == newShape[axis + missing] {
        result.strides[axis + missing] = strides[axis]
      } else if shape[axis] != 1 {
        return nil
      }
    }
    return result
  }
}
