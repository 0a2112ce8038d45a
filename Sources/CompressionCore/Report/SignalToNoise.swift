// SPDX-License-Identifier: Apache-2.0
import CKernels
public import TensorCore

/// The power of a signal and of the difference to it, added up over tensors.
public struct SignalToNoise: Sendable, Equatable {
  public private(set) var signal = 0.0
  public private(set) var noise = 0.0

  public init() {}

  /// 10 log₁₀ of the ratio; infinite without noise, `nil` without signal.
  public var decibels: Double? {
    guard signal > 0 else { return nil }
    return noise > 0 ? 10 * (signal / noise).logarithm10 : .infinity
  }

  /// Adds two tensors of the same number of elements; others are left out.
  public mutating func add(_ reference: Tensor, _ changed: Tensor) {
    guard reference.count == changed.count else { return }
    reference.withFloats { reference in
      changed.withFloats { changed in add(reference, changed) }
    }
  }

  /// Adds two arrays of the same length.
  public mutating func add(_ reference: [Float], _ changed: [Float]) {
    reference.withUnsafeBufferPointer { reference in
      changed.withUnsafeBufferPointer { changed in add(reference, changed) }
    }
  }

  private mutating func add(
    _ reference: UnsafeBufferPointer<Float>, _ changed: UnsafeBufferPointer<Float>
  ) {
    guard let one = reference.baseAddress, let other = changed.baseAddress else { return }
    noise += swk_sum_squares_difference(one, other, reference.count)
    var sum = 0.0
    for value in reference { sum += Double(value) * Double(value) }
    signal += sum
  }
}
