// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// One loop of a movement of elements: how many, and how far apart on both sides.
///
/// Distances are in elements and may be zero (repeat) or negative (backwards).
struct MoveAxis {
  var extent: Int
  var sourceStride: Int
  var targetStride: Int

  /// Distances from the first source element, one per step, in place of `sourceStride`.
  var sourceOffsets: [Int]?

  init(extent: Int, sourceStride: Int, targetStride: Int, sourceOffsets: [Int]? = nil) {
    self.extent = extent
    self.sourceStride = sourceStride
    self.targetStride = targetStride
    self.sourceOffsets = sourceOffsets
  }

  func sourceOffset(_ step: Int) -> Int {
    if let sourceOffsets { sourceOffsets[step] } else { step * sourceStride }
  }

  /// Whether this loop around `inner` is one longer loop.
  func continues(_ inner: MoveAxis) -> Bool {
    sourceOffsets == nil && inner.sourceOffsets == nil
      && sourceStride == inner.extent * inner.sourceStride
      && targetStride == inner.extent * inner.targetStride
  }
}

/// Elements of any type with whole bytes each: what operators that move elements work on.
///
/// Elements narrower than a byte take a byte each here and are packed again by `tensor(shape:)`.
struct ElementBuffer {
  let elementType: ElementType
  let width: Int
  private(set) var bytes: [UInt8]

  var count: Int { bytes.count / width }

  init(_ tensor: Tensor) {
    elementType = tensor.elementType
    if elementType.bitWidth < 8 {
      width = 1
      bytes = PackedBits.unpacked(tensor.bytes, count: tensor.count, as: elementType)
        .map { UInt8(truncatingIfNeeded: $0) }
    } else {
      width = elementType.bitWidth / 8
      bytes = tensor.bytes
    }
  }

  /// A buffer whose every element is the first one of `value`, or zero.
  init(_ elementType: ElementType, count: Int, filledWith value: ElementBuffer? = nil) {
    self.elementType = elementType
    width = max(1, elementType.bitWidth / 8)
    bytes = [UInt8](repeating: value?.bytes.first ?? 0, count: count * width)
    guard let pattern = value?.bytes.prefix(width), width > 1, Set(pattern).count > 1 else {
      return
    }
    for index in bytes.indices { bytes[index] = pattern[index % width] }
  }

  func tensor(shape: [Int]) -> Tensor {
    let stored =
      elementType.bitWidth < 8
      ? PackedBits.packed(bytes.map { Int64($0) }, as: elementType) : bytes
    return Tensor(uncheckedElementType: elementType, shape: shape, bytes: stored)
  }

  /// Takes the elements of `other`, which is as long as this buffer, where `mask` is not zero.
  mutating func replace(where mask: [UInt8], with other: ElementBuffer) {
    for (index, isTaken) in mask.enumerated() where isTaken != 0 {
      for byte in (index * width)..<((index + 1) * width) { bytes[byte] = other.bytes[byte] }
    }
  }

  /// Writes the elements of `source`, in order, at the given positions.
  ///
  /// - Throws: `OpError.invalidValue` if a position is outside; what came before is written.
  mutating func scatter(_ source: ElementBuffer, to positions: [Int]) throws(OpError) {
    for (index, position) in positions.enumerated() {
      guard position >= 0, position < count, index < source.count else {
        throw .invalidValue(
          input: "index", found: "outside the tensor", expected: "0..<\(count)")
      }
      for byte in 0..<width {
        bytes[position * width + byte] = source.bytes[index * width + byte]
      }
    }
  }

  /// Copies elements of `source`, which has the same element type, in nested loops.
  ///
  /// - Parameters:
  ///   - axes: The loops, outermost first.
  ///   - sourceStart: Where in `source` the first element is read.
  ///   - targetStart: Where in this buffer the first element is written.
  /// - Throws: `OpError.invalidValue` if the loops leave either buffer; nothing is copied then.
  mutating func move(
    from source: ElementBuffer, axes: [MoveAxis], sourceStart: Int = 0, targetStart: Int = 0
  ) throws(OpError) {
    if axes.contains(where: { $0.extent <= 0 }) { return }
    let reads = Reach(start: sourceStart, steps: axes.map(\.sourceExtremes))
    let writes = Reach(start: targetStart, steps: axes.map(\.targetExtremes))
    guard source.width == width, reads.isWithin(source.count), writes.isWithin(count) else {
      throw .invalidValue(
        input: "index", found: "outside the tensor", expected: "0..<\(source.count)")
    }
    var loops: [MoveAxis] = []
    for axis in axes where axis.extent > 1 || axis.sourceOffsets != nil {
      if let last = loops.last, last.continues(axis) {
        loops[loops.count - 1] = MoveAxis(
          extent: last.extent * axis.extent, sourceStride: axis.sourceStride,
          targetStride: axis.targetStride)
      } else {
        loops.append(axis)
      }
    }
    let inner =
      loops.popLast() ?? MoveAxis(extent: 1, sourceStride: 1, targetStride: 1)
    let width = width
    // SAFETY: every index that the loops reach was checked above against both buffers.
    unsafe bytes.withUnsafeMutableBytes { target in
      unsafe source.bytes.withUnsafeBytes { source in
        forEachStart(loops, sourceStart, targetStart) { from, to in
          unsafe copyRow(inner, width, source, from, target, to)
        }
      }
    }
  }
}

/// The least and greatest index that nested loops touch.
private struct Reach {
  var least: Int
  var greatest: Int
  var overflows = false

  init(start: Int, steps: [(least: Int, greatest: Int)?]) {
    least = start
    greatest = start
    for step in steps {
      guard let step else {
        overflows = true
        return
      }
      let (low, lowOverflow) = least.addingReportingOverflow(step.least)
      let (high, highOverflow) = greatest.addingReportingOverflow(step.greatest)
      (least, greatest, overflows) = (low, high, overflows || lowOverflow || highOverflow)
    }
  }

  func isWithin(_ count: Int) -> Bool { !overflows && least >= 0 && greatest < count }
}

extension MoveAxis {
  fileprivate var sourceExtremes: (least: Int, greatest: Int)? {
    guard let sourceOffsets else { return extremes(sourceStride) }
    guard sourceOffsets.count >= extent else { return nil }
    return (sourceOffsets.min() ?? 0, sourceOffsets.max() ?? 0)
  }

  fileprivate var targetExtremes: (least: Int, greatest: Int)? { extremes(targetStride) }

  private func extremes(_ stride: Int) -> (least: Int, greatest: Int)? {
    let (last, overflow) = (extent - 1).multipliedReportingOverflow(by: stride)
    return overflow ? nil : (min(0, last), max(0, last))
  }
}

/// Calls `body` with the source and target index at which each innermost row begins.
private func forEachStart(
  _ loops: [MoveAxis], _ sourceStart: Int, _ targetStart: Int, _ body: (Int, Int) -> Void
) {
  var steps = [Int](repeating: 0, count: loops.count)
  while true {
    var (from, to) = (sourceStart, targetStart)
    for (axis, step) in zip(loops, steps) {
      from += axis.sourceOffset(step)
      to += step * axis.targetStride
    }
    body(from, to)
    var axis = loops.count - 1
    while axis >= 0, steps[axis] == loops[axis].extent - 1 {
      steps[axis] = 0
      axis -= 1
    }
    if axis < 0 { return }
    steps[axis] += 1
  }
}

private func copyRow(
  _ axis: MoveAxis, _ width: Int, _ source: UnsafeRawBufferPointer, _ from: Int,
  _ target: UnsafeMutableRawBufferPointer, _ to: Int
) {
  if axis.sourceOffsets == nil, axis.sourceStride == 1, axis.targetStride == 1 {
    // SAFETY: `move` checked that the whole row lies within both buffers.
    unsafe UnsafeMutableRawBufferPointer(rebasing: target[(to * width)...])
      .copyMemory(
        from: UnsafeRawBufferPointer(
          rebasing: source[(from * width)..<((from + axis.extent) * width)]))
    return
  }
  switch width {
  case 1: unsafe copyElements(axis, source, from, target, to, as: UInt8.self)
  case 2: unsafe copyElements(axis, source, from, target, to, as: UInt16.self)
  case 4: unsafe copyElements(axis, source, from, target, to, as: UInt32.self)
  default: unsafe copyElements(axis, source, from, target, to, as: UInt64.self)
  }
}

private func copyElements<Word: BitwiseCopyable>(
  _ axis: MoveAxis, _ source: UnsafeRawBufferPointer, _ from: Int,
  _ target: UnsafeMutableRawBufferPointer, _ to: Int, as word: Word.Type
) {
  let size = MemoryLayout<Word>.size
  // SAFETY: `move` checked every element's index; loads need no alignment.
  if let offsets = axis.sourceOffsets {
    for (step, offset) in offsets.prefix(axis.extent).enumerated() {
      let value = unsafe source.loadUnaligned(fromByteOffset: (from + offset) * size, as: word)
      unsafe target.storeBytes(
        of: value, toByteOffset: (to + step * axis.targetStride) * size, as: word)
    }
    return
  }
  let (sourceStep, targetStep) = (axis.sourceStride * size, axis.targetStride * size)
  let (first, place) = (from * size, to * size)
  for step in 0..<axis.extent {
    let value = unsafe source.loadUnaligned(fromByteOffset: first + step * sourceStep, as: word)
    unsafe target.storeBytes(of: value, toByteOffset: place + step * targetStep, as: word)
  }
}
