// SPDX-License-Identifier: Apache-2.0
import TensorCore

extension Tensor {
  /// The elements stretched to a shape that this tensor's shape broadcasts to.
  ///
  /// - Throws: `OpError.invalidShape` if it does not.
  func broadcast(to target: [Int]) throws(OpError) -> Tensor {
    if shape == target { return self }
    try ResultLimit.check(shape, elementType)
    guard let strides = Broadcasting.strides(of: shape, in: target) else {
      throw .invalidShape(
        input: "input", found: shape, expected: "one that broadcasts to \(target)")
    }
    return try moved(to: target, sourceStrides: strides)
  }

  /// A tensor of another shape whose element at each position comes from `start` plus the
  /// position times `sourceStrides` of this one.
  ///
  /// - Throws: `OpError` if a position leads outside, or the result is too large.
  func moved(
    to target: [Int], sourceStrides: [Int], start: Int = 0
  ) throws(OpError) -> Tensor {
    let strides = Tensor.strides(of: target)
    return try moved(
      to: target,
      along: target.indices.map {
        MoveAxis(extent: target[$0], sourceStride: sourceStrides[$0], targetStride: strides[$0])
      }, start: start)
  }

  /// A tensor of another shape, filled by the given loops over this one's elements.
  ///
  /// - Throws: `OpError` if a loop leads outside, or the result is too large.
  func moved(
    to target: [Int], along axes: [MoveAxis], start: Int = 0
  ) throws(OpError) -> Tensor {
    let count = try ResultLimit.check(target, elementType)
    var result = ElementBuffer(elementType, count: count)
    try result.move(from: ElementBuffer(self), axes: axes, sourceStart: start)
    return result.tensor(shape: target)
  }

  /// The elements with the axes in another order: axis *k* of the result is axis
  /// `permutation[k]` of this tensor.
  func permuted(_ permutation: [Int]) throws(OpError) -> Tensor {
    let strides = Tensor.strides(of: shape)
    return try moved(
      to: permutation.map { shape[$0] }, sourceStrides: permutation.map { strides[$0] })
  }
}
