// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// One of `count` samples along the first axis, as a batch of one.
  ///
  /// Samples begin at whole bytes.
  package func sample(_ index: Int, of count: Int) -> Tensor {
    let size = bytes.count / max(count, 1)
    return Tensor(
      uncheckedElementType: elementType, shape: [1] + shape.dropFirst(),
      bytes: Array(bytes[(index * size)..<((index + 1) * size)]))
  }

  /// Batches of one, joined to one batch; at least one.
  package static func stacked(_ parts: [Tensor]) -> Tensor {
    Tensor(
      uncheckedElementType: parts[0].elementType,
      shape: [parts.count * (parts[0].shape.first ?? 1)] + parts[0].shape.dropFirst(),
      bytes: parts.flatMap(\.bytes))
  }
}
