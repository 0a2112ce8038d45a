// SPDX-License-Identifier: Apache-2.0

/// How a batch is cut into shards.
///
/// The cut follows from the batch size alone, so sums over shards are added in the same order
/// whatever the number of threads.
package struct ShardPlan: Sendable, Equatable {
  /// Extent of the batch axis; 0 where a step has no batch.
  package let batch: Int
  package let count: Int

  /// Samples in a shard.
  package var size: Int { count == 0 ? 0 : batch / count }

  /// Pieces into which work on variables is cut.
  package static let pieceCount = 16

  /// Shards of about eight samples: the largest number of shards, at most 32, that divides the
  /// batch into equal parts of at least eight.
  package init(batch: Int) {
    self.batch = batch
    var best = 1
    for count in 1...32 where batch > 0 && batch % count == 0 && batch / count >= 8 {
      best = count
    }
    count = best
  }

  /// The part of `0..<extent` that piece `index` of the fixed number of pieces covers; parts are
  /// multiples of 16 elements.
  package static func piece(_ index: Int, of extent: Int) -> Swift.Range<Int> {
    let blocks = (extent + 15) / 16
    let first = blocks * index / pieceCount * 16
    let last = blocks * (index + 1) / pieceCount * 16
    return min(first, extent)..<min(last, extent)
  }

  /// Which of `threads` threads owns part `index` of `parts`.
  package static func owner(of index: Int, parts: Int, threads: Int) -> Int {
    index * threads / max(parts, 1)
  }
}
