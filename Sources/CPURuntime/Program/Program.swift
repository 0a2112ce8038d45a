// SPDX-License-Identifier: Apache-2.0
import COneDNN
import GraphIR
import TensorCore

/// A graph compiled for fixed input shapes: steps over one arena.
///
/// Immutable; every caller runs it with an `Arena` of its own.
final class Program: Sendable {
  let steps: [Step]
  let threads: Int
  let arenaByteCount: Int
  let inputs: [(name: String, type: ElementType, shape: [Int])]
  let outputs: [(name: String, placement: Placement, shape: [Int], type: ElementType)]
  /// The outputs that runs show instead of returning them, if the graph was compiled for that.
  let observed: [Int: ObservedOutput]
  private let offsets: [Int?]
  private let constants: [Int: ConstantBlock]
  private let engine: Engine

  init(
    _ builder: ProgramBuilder,
    outputs: [(name: String, placement: Placement, shape: [Int], type: ElementType)]
  ) {
    let graph = builder.graph
    steps = builder.steps
    threads = builder.threads
    engine = builder.engine
    self.outputs = outputs
    observed = builder.observed
    inputs = graph.inputs.map { id in
      let type = graph[id].type
      return (graph[id].name, type?.elementType ?? .float32, type?.shape ?? [])
    }
    var first: [Int: Int] = [:]
    var last: [Int: Int] = [:]
    for (position, step) in builder.steps.enumerated() {
      for buffer in step.reads + step.writes {
        first[buffer] = min(first[buffer] ?? position, position)
        last[buffer] = max(last[buffer] ?? position, position)
      }
    }
    for output in outputs { last[output.placement.buffer] = builder.steps.count }
    var requests: [MemoryPlan.Request] = []
    var arenaBuffers: [Int] = []
    var constants: [Int: ConstantBlock] = [:]
    for (index, buffer) in builder.buffers.enumerated() {
      switch buffer.kind {
      case .arena:
        guard let start = first[index] else { continue }
        arenaBuffers.append(index)
        requests.append(
          MemoryPlan.Request(
            byteCount: buffer.byteCount, lifetime: start...(last[index] ?? start)))
      case .constant(let block): constants[index] = block
      case .input: continue
      }
    }
    let plan = MemoryPlan(requests)
    var offsets = [Int?](repeating: nil, count: builder.buffers.count)
    for (request, buffer) in arenaBuffers.enumerated() { offsets[buffer] = plan.offsets[request] }
    self.offsets = offsets
    self.constants = constants
    arenaByteCount = plan.arenaByteCount
  }

  /// Memory for one caller with the steps bound to it.
  func makeArena() throws(CompileError) -> Arena {
    let base = UnsafeMutableRawPointer.allocate(
      byteCount: max(arenaByteCount, MemoryPlan.alignment), alignment: MemoryPlan.alignment)
    let addresses = offsets.indices.map { buffer -> UnsafeMutableRawPointer? in
      if let offset = offsets[buffer] { return base + offset }
      return constants[buffer]?.address
    }
    let arena = Arena(
      program: self, base: base, memory: StepMemory(addresses: addresses, threads: threads))
    ThreadTeam.use(threads)
    try arena.bind()
    return arena
  }
}

/// One caller's memory for a program.
///
/// A class because it owns memory; not to be used by two threads at once.
final class Arena {
  let program: Program
  private let base: UnsafeMutableRawPointer
  private let memory: StepMemory
  private let inputs: InputTable
  private var runners: [Runner] = []

  fileprivate init(program: Program, base: UnsafeMutableRawPointer, memory: StepMemory) {
    self.program = program
    self.base = base
    self.memory = memory
    inputs = InputTable(count: program.inputs.count)
  }

  deinit {
    runners = []
    base.deallocate()
  }

  fileprivate func bind() throws(CompileError) {
    for step in program.steps {
      do throws(OneDNNError) { runners.append(try step.bind(memory)) } catch {
        throw .kernelFailure(
          node: step.label.nodes.first ?? step.label.kind, call: error.call, status: error.status)
      }
    }
  }

  /// Runs all steps on the given inputs, in the program's order.
  ///
  /// - Parameter part: Which part of larger inputs to run on, each as large as the program's own.
  /// - Parameter observe: Called after each step with its position, if given.
  /// - Parameter show: Called with each observed output, if the program has such.
  func run(
    _ tensors: [Tensor], part: Int = 0, observe: ((Int) -> Void)? = nil,
    show: ((Int, UnsafeRawPointer) -> Void)? = nil
  ) throws(CompileError) {
    ThreadTeam.use(program.threads)
    inputs.observer = show
    defer { inputs.observer = nil }
    try withAddresses(of: tensors[...], at: 0, part: part) { () throws(CompileError) in
      for (position, runner) in runners.enumerated() {
        do throws(OneDNNError) { try runner(inputs) } catch {
          let label = program.steps[position].label
          throw CompileError.kernelFailure(
            node: label.nodes.first ?? label.kind, call: error.call, status: error.status)
        }
        observe?(position)
      }
    }
  }

  private func withAddresses(
    of tensors: ArraySlice<Tensor>, at index: Int, part: Int,
    _ body: () throws(CompileError) -> Void
  ) throws(CompileError) {
    guard let tensor = tensors.first else { return try body() }
    var outcome: Result<Void, CompileError> = .success(())
    let input = program.inputs[index]
    let start = part * input.type.byteCount(of: input.shape.reduce(1, *))
    tensor.bytes.withUnsafeBytes { bytes in
      if let address = bytes.baseAddress { inputs[index] = address + start }
      do throws(CompileError) {
        try withAddresses(of: tensors.dropFirst(), at: index + 1, part: part, body)
      } catch {
        outcome = .failure(error)
      }
    }
    try outcome.get()
  }

  /// The bytes of an output of the last run, there until the next.
  func output(_ index: Int) -> UnsafeRawBufferPointer {
    let placement = program.outputs[index].placement
    return UnsafeRawBufferPointer(start: memory.address(placement), count: placement.byteCount)
  }
}
