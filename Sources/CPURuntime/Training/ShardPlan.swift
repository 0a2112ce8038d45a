// SPDX-License-Identifier: Apache-2.0

/// How a batch is cut into shards.
///
/// The cut follows from the step alone, so sums over shards are added in the same order whatever
/// the number of threads.
package struct ShardPlan: Sendable, Equatable {
  /// Extent of the batch axis; 0 where a step has no batch.
  package let batch: Int
  package let count: Int

  /// Samples in a shard.
  package var size: Int { count == 0 ? 0 : batch / count }

  /// Pieces into which work on variables is cut.
  package static let pieceCount = 16

  /// Shards of about eight samples: the largest number of shards, at most 32, that divides the
  /// batch into equal parts of at least eight; or of at least four, where eight samples do not fit
  /// the caches and the sums over more shards cost less than that.
  package init(batch: Int, load: Load = Load()) {
    self.batch = batch
    let least = load.prefersSmallShards(batch: batch) ? 4 : 8
    var best = 1
    for count in 1...Self.greatestCount where batch > 0 && batch % count == 0 {
      if batch / count >= least { best = count }
    }
    count = best
  }

  fileprivate static let greatestCount = 32

  /// What the convolutions of a step move.
  package struct Load: Sendable, Equatable {
    /// Bytes of one sample of the greatest result.
    package var greatestResult = 0
    /// Bytes of one sample of all results.
    package var allResults = 0
    /// Bytes of the gradients of all weights.
    package var weightGradients = 0

    package init() {}

    /// A core's share of the last cache, about.
    private static let cacheByteCount = 4 << 20

    /// Measured with MobileNetV2 and ResNet-20 at 32×32 pixels, float32 and bfloat16.
    fileprivate func prefersSmallShards(batch: Int) -> Bool {
      greatestResult * 8 > Self.cacheByteCount
        && allResults * batch > weightGradients * ShardPlan.greatestCount
    }
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
