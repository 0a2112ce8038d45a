// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import Synchronization

/// Batches one after the other, prepared ahead on a thread of their own.
///
/// A class because it owns that thread, which ends when the stream is released or its batches are
/// at an end. What `next` returns does not depend on timing.
public final class BatchStream: Sendable {
  private let queue: BatchQueue
  private let make: @Sendable (Int) throws -> TrainingBatch
  private let hasThread: Bool

  /// A stream of the batches with these numbers.
  ///
  /// - Parameters:
  ///   - numbers: Passed to `make` in ascending order.
  ///   - prefetchCount: Batches that may wait ready; 0 makes each when it is asked for, on the
  ///     caller's thread.
  ///   - make: Makes one batch. The first error ends the stream.
  public init(
    _ numbers: Range<Int>, prefetchCount: Int = 3,
    _ make: @escaping @Sendable (Int) throws -> TrainingBatch
  ) {
    self.make = make
    hasThread = prefetchCount > 0 && !numbers.isEmpty
    let queue = BatchQueue(numbers, capacity: max(prefetchCount, 1))
    self.queue = queue
    guard hasThread else { return }
    let thread = Thread {
      while let number = queue.numberToMake() { queue.put(Result { try make(number) }) }
    }
    thread.name = "swiftlet.batches"
    thread.start()
  }

  deinit { queue.stop() }

  /// The next batch, or `nil` behind the last.
  ///
  /// - Throws: What making the batch threw; after that there are no more batches.
  public func next() throws -> TrainingBatch? {
    if hasThread { return try queue.take()?.get() }
    guard let number = queue.numberToMake() else { return nil }
    queue.put(Result { try make(number) })
    return try queue.take()?.get()
  }
}

/// The batches that are ready, between the thread that makes them and the one that takes them.
///
/// A class because two threads share it.
private final class BatchQueue: Sendable {
  private struct State {
    var numbers: Range<Int>
    var ready: [Result<TrainingBatch, any Error>] = []
    /// Batches that have not been taken.
    var left: Int
    var isStopped = false
  }

  private let state: Mutex<State>
  // Both start at 0: a semaphore may not be released below the value that it started with.
  private let room = DispatchSemaphore(value: 0)
  private let filled = DispatchSemaphore(value: 0)

  init(_ numbers: Range<Int>, capacity: Int) {
    state = Mutex(State(numbers: numbers, left: numbers.count))
    for _ in 0..<capacity { room.signal() }
  }

  /// The number of the batch to make once there is room for it; `nil` if no more are wanted.
  func numberToMake() -> Int? {
    guard state.withLock({ !$0.isStopped && !$0.numbers.isEmpty }) else { return nil }
    room.wait()
    return state.withLock { state in
      guard !state.isStopped else { return nil }
      return state.numbers.popFirst()
    }
  }

  func put(_ batch: Result<TrainingBatch, any Error>) {
    state.withLock { state in
      state.ready.append(batch)
      if case .failure = batch {
        state.numbers = state.numbers.upperBound..<state.numbers.upperBound
      }
    }
    filled.signal()
  }

  func take() -> Result<TrainingBatch, any Error>? {
    guard state.withLock({ $0.left > 0 }) else { return nil }
    filled.wait()
    let batch = state.withLock { state -> Result<TrainingBatch, any Error> in
      let batch = state.ready.removeFirst()
      state.left -= 1
      if case .failure = batch { state.left = 0 }
      return batch
    }
    room.signal()
    return batch
  }

  func stop() {
    state.withLock { $0.isStopped = true }
    room.signal()
  }
}
