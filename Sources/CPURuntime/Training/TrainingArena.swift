// SPDX-License-Identifier: Apache-2.0
import CThreads
#if os(Linux)
  import Glibc
#endif
import GraphIR
import TensorCore

/// The memory of a training program with its tasks bound to it.
///
/// A class because it owns memory; not to be used by two threads at once.
final class TrainingArena {
  /// Calls of one task by one thread.
  private struct Call {
    let task: Int
    let run: TaskRunner
  }

  /// What one thread does: calls, phase by phase.
  private struct Plan {
    var phases: [[Call]]
    /// Seconds in each task, where they are asked for; the last entry is waiting.
    var seconds: [Double]
    var failure: (task: Int, error: OneDNNError)?
  }

  let byteCount: Int
  private let base: UnsafeMutableRawPointer
  private let memory: TaskMemory
  private let tasks: [TrainingTask]
  /// Keeps the memory that addresses point into.
  private let buffers: [TrainingBuilder.Buffer]
  private let plans: UnsafeMutableBufferPointer<Plan>
  private let barrier: UnsafeMutablePointer<swt_barrier>
  private let locals: ShardLocalPlan
  private var measures = false

  init(_ builder: TrainingBuilder, keeping outputs: [Placement], threads: Int)
    throws(CompileError)
  {
    tasks = builder.tasks
    buffers = builder.buffers
    let schedule = TrainingSchedule(tasks, bufferCount: builder.buffers.count) { buffer in
      if case .threadCopies = builder.buffers[buffer].kind { true } else { false }
    }
    let last = schedule.phases.count
    let kept = Set(outputs.map(\.buffer))
    let locals = ShardLocalPlan(
      tasks, schedule, buffers, keeping: kept, shards: builder.shards.count)
    self.locals = locals
    var requests: [MemoryPlan.Request] = []
    var requesters: [Int] = []
    for (index, buffer) in builder.buffers.enumerated() {
      guard let lifetime = schedule.lifetimes[index], locals.offsets[index] == nil else {
        continue
      }
      let span = kept.contains(index) ? lifetime.lowerBound...last : lifetime
      switch buffer.kind {
      case .arena:
        requests.append(MemoryPlan.Request(byteCount: buffer.byteCount, lifetime: span))
      case .threadCopies:
        requests.append(
          MemoryPlan.Request(
            byteCount: MemoryPlan.aligned(buffer.byteCount) * threads, lifetime: span))
      case .input, .variable, .constant: continue
      }
      requesters.append(index)
    }
    let blockStride = MemoryPlan.aligned(locals.byteCount)
    requests.append(MemoryPlan.Request(byteCount: blockStride * threads, lifetime: 0...last))
    let plan = MemoryPlan(requests)
    byteCount = plan.arenaByteCount
    base = TrainingArena.allocate(byteCount)
    var addresses = [UnsafeMutableRawPointer?](repeating: nil, count: builder.buffers.count)
    var strides = [Int](repeating: 0, count: builder.buffers.count)
    for (request, buffer) in requesters.enumerated() {
      addresses[buffer] = base + plan.offsets[request]
      if case .threadCopies = builder.buffers[buffer].kind {
        strides[buffer] = MemoryPlan.aligned(builder.buffers[buffer].byteCount)
      }
    }
    let block = base + (plan.offsets.last ?? 0)
    for (index, offset) in locals.offsets.enumerated() {
      guard let offset else { continue }
      addresses[index] = block + offset
      strides[index] = blockStride
    }
    for (index, buffer) in builder.buffers.enumerated() {
      switch buffer.kind {
      case .variable(let block): addresses[index] = block.address
      case .constant(let block): addresses[index] = block.address
      case .arena, .threadCopies, .input: continue
      }
    }
    memory = TaskMemory(
      addresses: addresses, threadStrides: strides, thread: 0,
      inputs: InputTable(count: builder.graph.inputs.count))
    barrier = .allocate(capacity: 1)
    barrier.initialize(to: swt_barrier(arrived: 0, generation: 0))
    plans = .allocate(capacity: threads)
    for thread in 0..<threads {
      plans.initializeElement(
        at: thread,
        to: Plan(
          phases: [], seconds: [Double](repeating: 0, count: tasks.count + 1), failure: nil))
    }
    for thread in 0..<threads {
      plans[thread].phases = try bound(
        schedule, shards: builder.shards.count, thread: thread, threads: threads)
    }
  }

  deinit {
    plans.deinitialize()
    plans.deallocate()
    barrier.deallocate()
    base.deallocate()
  }

  /// Memory on large pages where the system has them: a step goes through all of it, and with
  /// small ones would look up as many addresses again.
  private static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let largePage = 1 << 21
    guard byteCount >= largePage else {
      return .allocate(
        byteCount: max(byteCount, MemoryPlan.alignment), alignment: MemoryPlan.pageAlignment)
    }
    let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: largePage)
    #if os(Linux)
      // A hint; without it the memory is as good, but slower.
      _ = madvise(memory, byteCount, Int32(MADV_HUGEPAGE))
    #endif
    return memory
  }

  /// A thread's calls: in a run of tasks by shards, all tasks of one shard before the next shard.
  ///
  /// Every run takes the shards in the order opposite to the run before, so that it begins with
  /// what is still in the caches.
  private func bound(
    _ schedule: TrainingSchedule, shards: Int, thread: Int, threads: Int
  ) throws(CompileError) -> [[Call]] {
    let own = TaskMemory(
      addresses: memory.addresses, threadStrides: memory.threadStrides, thread: thread,
      inputs: memory.inputs)
    let mine = (0..<shards).filter {
      ShardPlan.owner(of: $0, parts: shards, threads: threads) == thread
    }
    var isReversed = false
    var phases: [[Call]] = []
    for phase in schedule.phases {
      var calls: [Call] = []
      var next = 0
      while next < phase.count {
        let task = phase[next]
        switch tasks[task].scope {
        case .shards:
          var end = next
          while end < phase.count, tasks[phase[end]].scope == .shards { end += 1 }
          for shard in isReversed ? mine.reversed() : mine {
            let seen = seen(own, by: shard)
            for task in phase[next..<end] { calls.append(try call(task, shard, seen)) }
          }
          isReversed.toggle()
          next = end
          continue
        case .pieces:
          for piece in 0..<ShardPlan.pieceCount
          where ShardPlan.owner(of: piece, parts: ShardPlan.pieceCount, threads: threads) == thread
          { calls.append(try call(task, piece, own)) }
        case .single(let chain):
          if chain % threads == thread { calls.append(try call(task, 0, own)) }
        case .everyThread: calls.append(try call(task, thread, own))
        }
        next += 1
      }
      phases.append(calls)
    }
    return phases
  }

  /// A thread's memory as tasks on one shard see it: what holds one shard at a time begins where
  /// the shard's part would be the one that there is.
  private func seen(_ memory: TaskMemory, by shard: Int) -> TaskMemory {
    var addresses = memory.addresses
    for (buffer, stride) in locals.shardStrides.enumerated() where stride > 0 {
      addresses[buffer] = addresses[buffer].map { $0 - stride * shard }
    }
    return TaskMemory(
      addresses: addresses, threadStrides: memory.threadStrides, thread: memory.thread,
      inputs: memory.inputs)
  }

  private func call(
    _ task: Int, _ part: Int, _ memory: TaskMemory
  ) throws(CompileError) -> Call {
    do throws(OneDNNError) {
      return Call(task: task, run: try tasks[task].bind(memory, part))
    } catch {
      throw failure(of: task, error)
    }
  }

  private func failure(of task: Int, _ error: OneDNNError) -> CompileError {
    let label = tasks[task].label
    return .kernelFailure(
      node: label.nodes.first ?? label.kind, call: error.call, status: error.status)
  }

  /// Runs all phases on the given inputs.
  ///
  /// - Parameter tensors: A tensor per input of the graph; `nil` for variables.
  func run(_ tensors: [Tensor?]) throws(CompileError) {
    try withAddresses(of: tensors[...], at: 0) { () throws(CompileError) in
      for thread in plans.indices { plans[thread].failure = nil }
      swt_parallel(
        Int32(plans.count),
        { context, member, members in
          guard let context else { return }
          let arena = Unmanaged<TrainingArena>.fromOpaque(context).takeUnretainedValue()
          swt_set_threads(1)
          arena.work(member: Int(member), members: Int(members))
        }, Unmanaged.passUnretained(self).toOpaque())
      for plan in plans {
        if let found = plan.failure { throw failure(of: found.task, found.error) }
      }
    }
  }

  /// One member's share of a run; where the team is smaller than planned, a member does the work
  /// of several threads.
  private func work(member: Int, members: Int) {
    guard let count = plans.first?.phases.count else { return }
    for phase in 0..<count {
      for thread in stride(from: member, to: plans.count, by: members) {
        if measures { measure(phase, of: thread) } else { perform(phase, of: thread) }
      }
      let start = measures ? ContinuousClock.now : nil
      swt_wait(barrier, Int32(members))
      if let start {
        plans[member].seconds[tasks.count] += (ContinuousClock.now - start) / .seconds(1)
      }
    }
  }

  private func perform(_ phase: Int, of thread: Int) {
    guard plans[thread].failure == nil else { return }
    for call in plans[thread].phases[phase] {
      do throws(OneDNNError) { try call.run() } catch {
        plans[thread].failure = (call.task, error)
        return
      }
    }
  }

  private func measure(_ phase: Int, of thread: Int) {
    guard plans[thread].failure == nil else { return }
    var last = ContinuousClock.now
    for call in plans[thread].phases[phase] {
      do throws(OneDNNError) { try call.run() } catch {
        plans[thread].failure = (call.task, error)
        return
      }
      let now = ContinuousClock.now
      plans[thread].seconds[call.task] += (now - last) / .seconds(1)
      last = now
    }
  }

  /// Seconds of each task in one run, shared out over the threads, with the time that threads
  /// wait for each other behind them.
  func profile(_ tensors: [Tensor?]) throws(CompileError) -> [Double] {
    for thread in plans.indices {
      plans[thread].seconds = [Double](repeating: 0, count: tasks.count + 1)
    }
    measures = true
    defer { measures = false }
    try run(tensors)
    return (0...tasks.count).map { task in
      plans.reduce(0) { $0 + $1.seconds[task] } / Double(plans.count)
    }
  }

  private func withAddresses(
    of tensors: ArraySlice<Tensor?>, at index: Int, _ body: () throws(CompileError) -> Void
  ) throws(CompileError) {
    guard let tensor = tensors.first else { return try body() }
    guard let tensor else {
      return try withAddresses(of: tensors.dropFirst(), at: index + 1, body)
    }
    var outcome: Result<Void, CompileError> = .success(())
    tensor.bytes.withUnsafeBytes { bytes in
      if let address = bytes.baseAddress { memory.inputs[index] = address }
      do throws(CompileError) {
        try withAddresses(of: tensors.dropFirst(), at: index + 1, body)
      } catch {
        outcome = .failure(error)
      }
    }
    try outcome.get()
  }

  /// A copy of a tensor of the last run.
  func tensor(_ placement: Placement, shape: [Int]) -> Tensor {
    Tensor(
      uncheckedElementType: placement.elementType, shape: shape,
      bytes: [UInt8](
        UnsafeRawBufferPointer(start: memory.address(placement), count: placement.byteCount)))
  }
}
