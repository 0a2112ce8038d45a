// SPDX-License-Identifier: Apache-2.0
public import GraphIR
import Synchronization
public import TensorCore

/// A step of training, or of any computation with a state, compiled for this processor.
///
/// Activations are kept channels-last; the batch is cut into shards, each of which is worked on by
/// the thread that owns it. Variables live in a store and are updated in place. Results do not
/// depend on the number of threads. One run at a time: others wait.
public final class TrainingProgram: Sendable {
  private let state: Mutex<State>
  private let store: VariableStore
  private let threads: Int
  private let labels: [StepLabel]

  /// Names and types of the inputs that every run is given, in order; variables are not among them.
  public let inputs: [(name: String, type: TensorType)]
  /// Names of the outputs, in order.
  public let outputNames: [String]
  /// Bytes of working memory beside inputs, outputs and variables.
  public let arenaByteCount: Int

  private struct State: @unchecked Sendable {
    // Safe to share: only whoever holds the lock touches the arena.
    let arena: TrainingArena
    let engine: Engine
    /// One per input of the graph: the position among the given inputs, `nil` for a variable.
    let feeds: [Int?]
    let outputs: [(name: String, placement: Placement, shape: [Int])]
  }

  /// Compiles a step whose shapes are all known.
  ///
  /// Variables that the store does not have yet are added with their initial values; others keep
  /// theirs.
  ///
  /// - Throws: `CompileError` naming the node, value or variable that cannot be compiled.
  public init(
    _ step: TrainingStep, store: VariableStore, options: TrainingOptions = TrainingOptions()
  ) throws(CompileError) {
    // Kernels are made for one thread: shards, not kernels, share the work out.
    ThreadTeam.use(1)
    defer { ThreadTeam.use(options.threads) }
    let lowered = try TrainingCompiler.lower(step, store: store, options: options)
    let arena = try TrainingArena(
      lowered.builder, keeping: lowered.outputs.map(\.placement), threads: options.threads)
    self.store = store
    threads = options.threads
    let variables = Set(step.variables.map(\.input))
    let graph = lowered.builder.graph
    var inputs: [(name: String, type: TensorType)] = []
    var feeds: [Int?] = []
    for id in graph.inputs {
      guard !variables.contains(id), let type = graph[id].type else {
        feeds.append(nil)
        continue
      }
      feeds.append(inputs.count)
      inputs.append((graph[id].name, type))
    }
    self.inputs = inputs
    outputNames = lowered.outputs.map(\.name)
    arenaByteCount = arena.byteCount
    labels =
      lowered.builder.tasks.map(\.label) + [
        StepLabel(nodes: [], kind: "Wait", implementation: "barrier", precision: "")
      ]
    state = Mutex(
      State(
        arena: arena, engine: lowered.builder.engine, feeds: feeds, outputs: lowered.outputs))
  }

  /// What each task does, in program order; the last stands for threads that wait for others.
  public var steps: [StepLabel] { labels }

  /// Does one step: updates the variables and returns the outputs by name.
  ///
  /// - Throws: `GraphError` if an input is missing, unknown, or of the wrong shape or type (the
  ///   variables are then unchanged); `CompileError` if a kernel fails.
  @discardableResult
  public func run(_ tensors: [String: Tensor]) throws -> [String: Tensor] {
    let ordered = try checked(tensors)
    return try state.withLock { state throws(CompileError) in
      let arena = state.arena
      let given = state.feeds.map { $0.map { ordered[$0] } }
      defer { ThreadTeam.use(threads) }
      try store.withExclusiveAccess { () throws(CompileError) in try arena.run(given) }
      return Dictionary(
        state.outputs.map { ($0.name, arena.tensor($0.placement, shape: $0.shape)) },
        uniquingKeysWith: { first, _ in first })
    }
  }

  /// Median seconds of each task over `runs` steps, shared out over the threads.
  ///
  /// Every step counts: variables are updated as in `run`.
  public func profile(_ tensors: [String: Tensor], runs: Int = 5) throws -> [StepTiming] {
    let ordered = try checked(tensors)
    return try state.withLock { state throws(CompileError) in
      let arena = state.arena
      let given = state.feeds.map { $0.map { ordered[$0] } }
      defer { ThreadTeam.use(threads) }
      var series: [[Double]] = []
      try store.withExclusiveAccess { () throws(CompileError) in
        try arena.run(given)
        for _ in 0..<max(runs, 1) { series.append(try arena.profile(given)) }
      }
      return labels.enumerated().map { task, label in
        StepTiming(label: label, seconds: series.map { $0[task] }.sorted()[series.count / 2])
      }
    }
  }

  private func checked(_ tensors: [String: Tensor]) throws(GraphError) -> [Tensor] {
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
}
