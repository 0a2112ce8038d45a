// SPDX-License-Identifier: Apache-2.0
import CKernels
import GraphIR
import TensorCore

/// Codes of 16 bits, which the conversion kernels lack: products on them are computed on reals.
extension ProgramBuilder {
  /// The reals that 16-bit codes stand for; `nil` for other types.
  func widened(
    _ value: ValueID, scale: Float, zeroPoint: Int32
  ) throws(OneDNNError) -> Placement? {
    guard let (source, layout) = try anyDense(value), source.elementType.isWideCode else {
      return nil
    }
    let target = allocate(.float32, source.shape, layout)
    let isSigned = source.elementType == .int16
    addFlatLoop(from: source, to: target, label: copyLabel("Dequantize", .float32)) {
      range, from, to in
      let reals = to.assumingMemoryBound(to: Float.self)
      if isSigned {
        let codes = from.assumingMemoryBound(to: Int16.self)
        for index in range { reals[index] = scale * Float(Int32(codes[index]) - zeroPoint) }
      } else {
        let codes = from.assumingMemoryBound(to: UInt16.self)
        for index in range { reals[index] = scale * Float(Int32(codes[index]) - zeroPoint) }
      }
    }
    return try converted(target, layout)
  }

  /// The 16-bit codes of a value's reals, ties to even; `nil` for other types.
  func narrowed(
    _ value: ValueID, to type: ElementType, scale: Float, zeroPoint: Int32, label: StepLabel
  ) throws(OneDNNError) -> Placement? {
    guard type.isWideCode, let (source, layout) = try anyDense(value, as: .float32) else {
      return nil
    }
    let target = allocate(type, source.shape, layout)
    let isSigned = type == .int16
    let least = Float((isSigned ? -32768 : 0) - Int(zeroPoint))
    let greatest = Float((isSigned ? 32767 : 65535) - Int(zeroPoint))
    addFlatLoop(from: source, to: target, label: label) { range, from, to in
      let reals = from.assumingMemoryBound(to: Float.self)
      // NaN fails the comparison and becomes the least code.
      @inline(__always) func code(_ index: Int) -> Int32 {
        let unit = (reals[index] / scale).rounded(.toNearestOrEven)
        return Int32(unit > least ? min(unit, greatest) : least) &+ zeroPoint
      }
      if isSigned {
        let codes = to.assumingMemoryBound(to: Int16.self)
        for index in range { codes[index] = Int16(truncatingIfNeeded: code(index)) }
      } else {
        let codes = to.assumingMemoryBound(to: UInt16.self)
        for index in range { codes[index] = UInt16(truncatingIfNeeded: code(index)) }
      }
    }
    return target
  }

  /// Reals of single precision in the type that the program computes in.
  private func converted(_ source: Placement, _ layout: Layout) throws(OneDNNError) -> Placement? {
    guard realType != .float32 else { return source }
    guard let from = source.elementType.kernel, let to = realType.kernel else { return nil }
    let target = allocate(realType, source.shape, layout)
    addConversion(
      from: source, swk_format(type: from, scale: 1, zero_point: 0), to: target,
      swk_format(type: to, scale: 1, zero_point: 0), label: copyLabel("Convert", realType))
    return target
  }

  /// Adds a loop over the elements of two dense tensors of one order.
  private func addFlatLoop(
    from source: Placement, to target: Placement, label: StepLabel,
    _ work:
      @escaping @Sendable (
        Swift.Range<Int>, UnsafeRawPointer, UnsafeMutableRawPointer
      ) -> Void
  ) {
    let count = source.count
    let threads = count < 32768 ? 1 : threads
    add(
      Step(label: label, reads: [source.buffer], writes: [target.buffer]) { memory in
        let input = UnsafeRawPointer(memory.address(source))
        let output = memory.address(target)
        return { _ in
          ThreadTeam.forEachRange(of: count, threads: threads) { work($0, input, output) }
        }
      })
  }
}

extension ElementType {
  /// Whether it is one of the 16-bit types of codes.
  var isWideCode: Bool { self == .int16 || self == .uint16 }
}
