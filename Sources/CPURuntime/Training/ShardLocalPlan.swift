// SPDX-License-Identifier: Apache-2.0

/// Memory of the buffers that a thread fills and empties while it works on one shard.
///
/// Such a buffer never holds more than one shard, so a thread needs one shard's worth of it, which
/// stays in the caches from shard to shard; and tasks that follow each other share memory as
/// phases do elsewhere.
struct ShardLocalPlan: Sendable {
  /// Where each buffer begins in a thread's block; `nil` for buffers that live longer.
  let offsets: [Int?]
  /// Bytes between the parts of a buffer that belong to neighbouring shards, as tasks see them; 0
  /// for those of which a task sees a whole copy.
  let shardStrides: [Int]
  /// Size of a thread's block.
  let byteCount: Int

  /// Tasks of one phase that a thread does for a shard before it goes on to the next.
  private struct Use {
    let run: Int
    var lifetime: ClosedRange<Int>
  }

  /// - Parameter kept: Buffers that are read after the last phase.
  init(
    _ tasks: [TrainingTask], _ schedule: TrainingSchedule, _ buffers: [TrainingBuilder.Buffer],
    keeping kept: Set<Int>, shards: Int
  ) {
    var uses = [Use?](repeating: nil, count: buffers.count)
    var isExcluded = [Bool](repeating: shards < 2, count: buffers.count)
    var run = 0
    for phase in schedule.phases {
      run += 1
      for (position, index) in phase.enumerated() {
        let task = tasks[index]
        if task.scope != .shards { run += 1 }
        for access in task.accesses {
          let buffer = access.buffer
          guard task.scope == .shards, access.extent == .own, uses[buffer]?.run ?? run == run else {
            isExcluded[buffer] = true
            continue
          }
          let first = uses[buffer]?.lifetime.lowerBound ?? position
          uses[buffer] = Use(run: run, lifetime: first...position)
        }
      }
    }
    var strides = [Int](repeating: 0, count: buffers.count)
    var offsets = [Int?](repeating: nil, count: buffers.count)
    var members: [Int: [(buffer: Int, request: MemoryPlan.Request)]] = [:]
    for (buffer, use) in uses.enumerated() {
      guard let use, !isExcluded[buffer], !kept.contains(buffer) else { continue }
      var byteCount = buffers[buffer].byteCount
      switch buffers[buffer].kind {
      case .arena:
        guard byteCount % shards == 0 else { continue }
        byteCount /= shards
        strides[buffer] = byteCount
      case .threadCopies: break
      case .input, .variable, .constant: continue
      }
      members[use.run, default: []].append(
        (buffer, MemoryPlan.Request(byteCount: byteCount, lifetime: use.lifetime)))
    }
    var total = 0
    for run in members.values {
      let plan = MemoryPlan(run.map(\.request))
      for (member, offset) in zip(run, plan.offsets) { offsets[member.buffer] = offset }
      total = max(total, plan.arenaByteCount)
    }
    self.offsets = offsets
    shardStrides = strides
    byteCount = total
  }
}
