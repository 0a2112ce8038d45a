// SPDX-License-Identifier: Apache-2.0

/// One piece of a training step's work.
struct TrainingTask: Sendable {
  /// Who runs it.
  enum Scope: Hashable, Sendable {
    /// Every shard by the thread that owns it.
    case shards
    /// A fixed number of pieces of some variable's elements, each by the thread that owns it.
    case pieces
    /// Once; chains with the same number run on the same thread.
    case single(Int)
    /// Once on every thread, into memory of the thread's own.
    case everyThread
  }

  /// How much of a buffer a task touches, as far as the thread that does it is concerned.
  enum Extent: Hashable, Sendable {
    /// All of it, or what another thread may touch.
    case whole
    /// What belongs to the task's own shard, piece, chain or thread.
    case own
  }

  struct Access: Sendable {
    var buffer: Int
    var extent: Extent
    var isWrite: Bool
  }

  var label: StepLabel
  var scope: Scope
  var accesses: [Access]
  /// Whether it may run as early as its operands are there, ahead of tasks before it.
  var floats: Bool = false
  /// Makes the runner of part `part` (shard, piece or thread) for one program's memory.
  var bind: @Sendable (TaskMemory, Int) throws(OneDNNError) -> TaskRunner
}

/// A part of a task, bound to addresses.
typealias TaskRunner = () throws(OneDNNError) -> Void

/// The memory that tasks are bound to, as one thread sees it.
struct TaskMemory {
  /// Base address per buffer; `nil` for the caller's inputs.
  let addresses: [UnsafeMutableRawPointer?]
  /// Bytes between the copies of a buffer that every thread has its own copy of; 0 for others.
  let threadStrides: [Int]
  let thread: Int
  let inputs: InputTable

  func address(_ placement: Placement) -> UnsafeMutableRawPointer {
    guard let base = addresses[placement.buffer] else {
      preconditionFailure("buffer \(placement.buffer) is read as memory but is an input")
    }
    return base + threadStrides[placement.buffer] * thread + placement.offset
  }

  func floats(_ placement: Placement) -> UnsafeMutablePointer<Float> {
    address(placement).assumingMemoryBound(to: Float.self)
  }
}
