// SPDX-License-Identifier: Apache-2.0

/// Places buffers with known lifetimes into one arena so that buffers that are alive at the same
/// step never overlap.
///
/// Source: greedy best fit by decreasing size over live intervals (the card "Network compiling",
/// section 3).
package struct MemoryPlan: Sendable, Equatable {
  /// A buffer's size in bytes and the steps, first to last, in which it is in use.
  package struct Request: Sendable, Equatable {
    package var byteCount: Int
    package var lifetime: ClosedRange<Int>

    package init(byteCount: Int, lifetime: ClosedRange<Int>) {
      self.byteCount = byteCount
      self.lifetime = lifetime
    }
  }

  /// Byte offset of each request in the arena.
  package let offsets: [Int]
  package let arenaByteCount: Int

  package static let alignment = 64
  /// For whole arenas, so that they begin on a page of their own.
  package static let pageAlignment = 4096

  package init(_ requests: [Request]) {
    var offsets = [Int](repeating: 0, count: requests.count)
    var placed: [Int] = []
    var total = 0
    let order = requests.indices.sorted {
      (requests[$1].byteCount, $0) < (requests[$0].byteCount, $1)
    }
    for index in order where requests[index].byteCount > 0 {
      let request = requests[index]
      let size = MemoryPlan.aligned(request.byteCount)
      let conflicts = placed.filter { requests[$0].lifetime.overlaps(request.lifetime) }
        .map { (offsets[$0], offsets[$0] + MemoryPlan.aligned(requests[$0].byteCount)) }
        .sorted { $0.0 < $1.0 }
      var best: (offset: Int, gap: Int)?
      var end = 0
      for (start, stop) in conflicts {
        let gap = start - end
        if gap >= size, gap < best?.gap ?? .max { best = (end, gap) }
        end = max(end, stop)
      }
      offsets[index] = best?.offset ?? end
      total = max(total, offsets[index] + size)
      placed.append(index)
    }
    self.offsets = offsets
    arenaByteCount = total
  }

  package static func aligned(_ byteCount: Int) -> Int {
    (byteCount + alignment - 1) / alignment * alignment
  }
}
