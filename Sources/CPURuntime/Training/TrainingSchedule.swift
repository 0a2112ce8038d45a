// SPDX-License-Identifier: Apache-2.0

/// Tasks put into phases: within a phase no thread touches what another one writes, so threads
/// wait for each other only between phases.
///
/// Tasks stay in program order, except that those that may float go into the earliest phase in
/// which their operands are there. Lifetimes of buffers are counted in phases.
struct TrainingSchedule: Sendable {
  /// Task indices per phase, in the order in which a thread does them.
  let phases: [[Int]]
  /// First and last phase in which each buffer is touched; `nil` for one that is not.
  let lifetimes: [ClosedRange<Int>?]

  /// How a buffer was touched in the latest phases that did so.
  private struct History {
    var lastWrite: (phase: Int, key: Key?)?
    /// Latest phase with a read, and latest phase with a read that is not by `ownKey`.
    var reads: [(phase: Int, key: Key?)] = []
  }

  /// Whose part of a buffer is touched; `nil` stands for the whole.
  private enum Key: Hashable {
    case shard, piece, thread
    case chain(Int)
    case floating(Int)
  }

  init(_ tasks: [TrainingTask], bufferCount: Int, isThreadCopied: (Int) -> Bool) {
    var phaseOf = [Int](repeating: 0, count: tasks.count)
    var history = [History](repeating: History(), count: bufferCount)
    var current = 0
    for (index, task) in tasks.enumerated() {
      var phase = task.floats ? 0 : current
      let keys = task.accesses.map { access -> Key? in
        guard access.extent == .own else { return nil }
        return isThreadCopied(access.buffer) ? .thread : TrainingSchedule.key(task.scope)
      }
      for (access, key) in zip(task.accesses, keys) {
        let past = history[access.buffer]
        if let write = past.lastWrite {
          phase = max(phase, write.key != nil && write.key == key ? write.phase : write.phase + 1)
        }
        guard access.isWrite else { continue }
        for read in past.reads {
          phase = max(phase, read.key != nil && read.key == key ? read.phase : read.phase + 1)
        }
      }
      if !task.floats { current = phase }
      phaseOf[index] = phase
      for (access, key) in zip(task.accesses, keys) {
        if access.isWrite {
          history[access.buffer].lastWrite = (phase, key)
          history[access.buffer].reads = []
        } else if !history[access.buffer].reads.contains(where: {
          $0.key == key && $0.phase >= phase
        }) {
          history[access.buffer].reads.append((phase, key))
        }
      }
    }
    var phases = [[Int]](repeating: [], count: (phaseOf.max() ?? -1) + 1)
    for (index, task) in tasks.enumerated() where !task.floats {
      phases[phaseOf[index]].append(index)
    }
    for (index, task) in tasks.enumerated() where task.floats {
      phases[phaseOf[index]].append(index)
    }
    var lifetimes = [ClosedRange<Int>?](repeating: nil, count: bufferCount)
    for (index, task) in tasks.enumerated() {
      let phase = phaseOf[index]
      for access in task.accesses {
        let known = lifetimes[access.buffer]
        lifetimes[access.buffer] =
          min(known?.lowerBound ?? phase, phase)...max(known?.upperBound ?? phase, phase)
      }
    }
    self.phases = phases
    self.lifetimes = lifetimes
  }

  private static func key(_ scope: TrainingTask.Scope) -> Key {
    switch scope {
    case .shards: .shard
    case .pieces: .piece
    case .single(let chain): .chain(chain)
    case .everyThread: .thread
    }
  }
}
