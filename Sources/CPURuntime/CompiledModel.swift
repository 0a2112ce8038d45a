// SPDX-License-Identifier: Apache-2.0
public import GraphIR
import Synchronization
public import TensorCore

/// Choices for compiling a network.
public struct CompileOptions: Sendable, Equatable {
  /// Threads that work on one run; by default every processor that this process may use.
  public var threads: Int
  public var precision: Precision

  public init(threads: Int? = nil, precision: Precision = .int8) {
    self.threads = max(threads ?? ThreadTeam.processorCount, 1)
    self.precision = precision
  }
}

/// How long one step of a program took.
public struct StepTiming: Sendable, Equatable {
  public var label: StepLabel
  public var seconds: Double
}

/// A network compiled for this processor.
///
/// Compile a graph that has been through the lowering passes. Immutable and safe to use from
/// several threads at once: every run takes an arena of its own from a pool. Input shapes are
/// fixed when the graph is compiled.
public final class CompiledModel: Sendable {
  private let program: Program
  private let pool: Mutex<Pool>

  /// Parts of a batch that are run one by one, and the threads that share them.
  private let parts: (count: Int, threads: Int)

  /// Names and types of the inputs, in order.
  public let inputs: [(name: String, type: TensorType)]
  /// Names of the outputs, in order.
  public let outputNames: [String]

  // Arenas lie here only between runs, so no two threads ever hold the same one.
  private struct Pool: @unchecked Sendable {
    var free: [Arena] = []
  }

  /// Compiles a graph whose shapes are all known.
  ///
  /// - Throws: `CompileError` naming the node or value that cannot be compiled.
  public init(_ graph: Graph, options: CompileOptions = CompileOptions()) throws(CompileError) {
    program = try Compiler.compile(graph, options: options)
    inputs = program.inputs.map { ($0.name, TensorType($0.type, shape: $0.shape)) }
    outputNames = program.outputs.map(\.name)
    parts = (1, 1)
    pool = Mutex(Pool())
  }

  /// Compiles a network for batches that are run in parts, each by one thread from the first
  /// operator to the last, so that what an operator hands to the next stays in that thread's cache.
  ///
  /// - Parameters:
  ///   - graph: The network for one part. It keeps samples apart, which are along the first axis of
  ///     every input and output.
  ///   - count: Parts in a batch.
  /// - Throws: As `init(_:options:)`.
  package init(
    part graph: Graph, count: Int, options: CompileOptions = CompileOptions()
  ) throws(CompileError) {
    var single = options
    single.threads = 1
    program = try Compiler.compile(graph, options: single)
    inputs = program.inputs.map { input in
      var shape = input.shape
      if !shape.isEmpty { shape[0] *= count }
      return (input.name, TensorType(input.type, shape: shape))
    }
    outputNames = program.outputs.map(\.name)
    parts = (count, min(options.threads, count))
    pool = Mutex(Pool())
  }

  /// Compiles a graph for `observe(_:_:)`, which shows the outputs where they lie.
  ///
  /// - Throws: As `init(_:options:)`.
  package init(
    observing graph: Graph, options: CompileOptions = CompileOptions()
  ) throws(CompileError) {
    program = try Compiler.compile(graph, options: options, observes: true)
    inputs = program.inputs.map { ($0.name, TensorType($0.type, shape: $0.shape)) }
    outputNames = graph.outputs.map { graph[$0].name }
    parts = (1, 1)
    pool = Mutex(Pool())
  }

  /// Bytes of working memory that one run needs beside inputs, outputs and weights.
  public var arenaByteCount: Int { program.arenaByteCount * parts.threads }

  /// What each step does, in order.
  public var steps: [StepLabel] { program.steps.map(\.label) }

  /// The outputs, in order, for the given inputs by name.
  ///
  /// - Throws: `GraphError` if an input is missing, unknown, or of the wrong shape or type;
  ///   `CompileError` if a kernel fails.
  public func run(_ tensors: [String: Tensor]) throws -> [Tensor] {
    let ordered = try check(tensors)
    let found = try outputsOfParts(ordered)
    return program.outputs.enumerated().map { index, output in
      var shape = output.shape
      if parts.count > 1 { shape[0] *= parts.count }
      return Tensor(
        uncheckedElementType: output.type, shape: shape,
        bytes: found.count == 1 ? found[0][index] : found.flatMap { $0[index] })
    }
  }

  /// The bytes of each output of each part, in order.
  private func outputsOfParts(_ ordered: [Tensor]) throws(CompileError) -> [[[UInt8]]] {
    let results = Mutex<[Int: Result<[[UInt8]], CompileError>]>([:])
    ThreadTeam.forEach(of: parts.count, threads: parts.threads) { part in
      let result = outputs(ofPart: part, ordered)
      results.withLock { $0[part] = result }
    }
    let found = results.withLock { $0 }
    var bytes: [[[UInt8]]] = []
    for part in 0..<parts.count {
      if let result = found[part] { bytes.append(try result.get()) }
    }
    return bytes
  }

  private func outputs(ofPart part: Int, _ ordered: [Tensor]) -> Result<[[UInt8]], CompileError> {
    Result { () throws(CompileError) in
      let arena = try takeArena()
      defer { giveBack(arena) }
      try arena.run(ordered, part: part)
      return program.outputs.indices.map { [UInt8](arena.output($0)) }
    }
  }

  /// Runs a network that was compiled by `init(observing:options:)` and shows each output where it
  /// lies, as soon as it is computed.
  ///
  /// - Parameter body: Called with an output's position in the graph, its layout and its elements
  ///   as single precision. Outputs that no node computes are left out.
  /// - Throws: As `run(_:)`.
  package func observe(
    _ tensors: [String: Tensor], _ body: (Int, Layout, Span<Float>) -> Void
  ) throws {
    let ordered = try check(tensors)
    let arena = try takeArena()
    defer { giveBack(arena) }
    let observed = program.observed
    try withoutActuallyEscaping(body) { body in
      try arena.run(
        ordered,
        show: { output, address in
          guard let shown = observed[output] else { return }
          // SAFETY: the address is that of `count` floats of the arena, which nothing writes to
          // until the step that shows them returns.
          body(
            output, shown.layout,
            UnsafeBufferPointer(
              start: address.assumingMemoryBound(to: Float.self), count: shown.count
            ).span)
        })
    }
  }

  /// The only output of a network with one input and one output.
  public func callAsFunction(_ input: Tensor) throws -> Tensor {
    guard let name = inputs.first?.name, let output = try run([name: input]).first else {
      throw GraphError.missingInput(name: "input", expected: inputs.map(\.name))
    }
    return output
  }

  /// The outputs by name.
  public func callAsFunction(_ tensors: [String: Tensor]) throws -> [String: Tensor] {
    Dictionary(zip(outputNames, try run(tensors)), uniquingKeysWith: { first, _ in first })
  }

  /// Wall-clock seconds of each of `runs` runs, after `warmups` runs that don't count.
  public func latencies(
    _ tensors: [String: Tensor], runs: Int, warmups: Int = 3
  ) throws -> [Double] {
    let ordered = try check(tensors)
    for _ in 0..<warmups { _ = try outputsOfParts(ordered) }
    var seconds: [Double] = []
    let clock = ContinuousClock()
    for _ in 0..<runs {
      let elapsed = try clock.measure { _ = try outputsOfParts(ordered) }
      seconds.append(elapsed / .seconds(1))
    }
    return seconds
  }

  /// Median time of each step over `runs` runs.
  ///
  /// A step of a network that is run in parts has the time of all parts on one thread, divided by
  /// the threads that share them.
  public func profile(_ tensors: [String: Tensor], runs: Int) throws -> [StepTiming] {
    let ordered = try check(tensors)
    let arena = try takeArena()
    defer { giveBack(arena) }
    for _ in 0..<2 { try arena.run(ordered) }
    var times = [[Double]](repeating: [], count: program.steps.count)
    let clock = ContinuousClock()
    for _ in 0..<max(runs, 1) {
      var sums = [Double](repeating: 0, count: program.steps.count)
      for part in 0..<parts.count {
        var last = clock.now
        try arena.run(ordered, part: part) { position in
          let now = clock.now
          sums[position] += (now - last) / .seconds(1)
          last = now
        }
      }
      for position in sums.indices {
        times[position].append(sums[position] / Double(parts.threads))
      }
    }
    return zip(program.steps, times).map { step, series in
      StepTiming(label: step.label, seconds: series.sorted()[series.count / 2])
    }
  }

  private func check(_ tensors: [String: Tensor]) throws(GraphError) -> [Tensor] {
    let names = inputs.map(\.name)
    var ordered: [Tensor] = []
    for (name, type) in inputs {
      guard let tensor = tensors[name] else { throw .missingInput(name: name, expected: names) }
      guard tensor.elementType == type.elementType, tensor.shape == type.shape else {
        throw .invalidInput(
          name: name, found: "\(TensorType(tensor.elementType, shape: tensor.shape))",
          expected: "\(type)")
      }
      ordered.append(tensor)
    }
    if let unknown = tensors.keys.sorted().first(where: { !names.contains($0) }) {
      throw .unknownInput(name: unknown, expected: names)
    }
    return ordered
  }

  private func takeArena() throws(CompileError) -> Arena {
    let free = pool.withLock { pool in UncheckedBox(pool.free.popLast()) }
    if let arena = free.value { return arena }
    return try program.makeArena()
  }

  private func giveBack(_ arena: Arena) {
    let box = UncheckedBox(arena)
    pool.withLock { $0.free.append(box.value) }
  }
}

/// Carries an arena between the pool and the one thread that uses it.
private struct UncheckedBox<Value>: @unchecked Sendable {
  // Safe to send: the pool hands each arena to one caller at a time.
  let value: Value
  init(_ value: Value) { self.value = value }
}
