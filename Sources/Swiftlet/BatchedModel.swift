// SPDX-License-Identifier: Apache-2.0
public import CPURuntime
public import CompressionCore
public import GraphIR
import GraphPasses
import Synchronization
public import TensorCore

/// A network that runs batches of any size: it is compiled once for each set of input shapes that
/// it meets, and the latest programs are kept.
///
/// A network whose shapes depend on its data, which cannot be compiled, runs on the reference
/// meaning of its operators. Safe to use from several threads.
public final class BatchedModel: GraphExecutor {
  // A class because the programs made so far are shared by all who run it.
  private let portable: Graph
  private let options: CompileOptions
  private let programs = Mutex<[(shapes: [String: [Int]], program: Program)]>([])

  private let observers = Mutex<[(shapes: [String: [Int]], program: Observer)]>([])

  private enum Program: Sendable {
    case compiled(CompiledModel)
    case interpreted(Interpreter)
  }

  private enum Observer: Sendable {
    case compiled(CompiledModel, outputShapes: [[Int]])
    case interpreted(Interpreter)
  }

  /// Programs kept at most.
  private static let capacity = 4

  /// - Parameters:
  ///   - portable: A network in the form of `Graph.portable(stoppingAfter:)`.
  ///   - options: As in `CompiledModel.init(contentsOf:batch:options:)`.
  /// - Throws: `CompileError.notQuantized` if 8-bit integers are asked of a float network.
  public init(portable: Graph, options: CompileOptions? = nil) throws(CompileError) {
    if options?.precision == .int8, !portable.isQuantized { throw .notQuantized }
    self.portable = portable
    self.options = options ?? CompileOptions(precision: portable.naturalPrecision)
  }

  /// Executors for methods that run networks on samples, each in the precision that it was made
  /// for.
  public static func factory(threads: Int? = nil) -> ExecutorFactory {
    { graph in
      try BatchedModel(
        portable: graph,
        options: CompileOptions(threads: threads, precision: graph.naturalPrecision))
    }
  }

  /// The outputs in the graph's order for a tensor per input name.
  ///
  /// - Throws: `GraphError` if an input is missing, unknown, or of the wrong shape or type;
  ///   `CompileError` naming the node that cannot be run.
  public func run(_ inputs: [String: Tensor]) throws -> [Tensor] {
    try portable.check(inputs: inputs)
    switch try program(for: inputs.mapValues(\.shape)) {
    case .compiled(let model): return try model.run(inputs)
    case .interpreted(let interpreter): return try interpreter.run(inputs)
    }
  }

  /// Threads; each observes batches of its own.
  public var observerCount: Int { options.threads }

  /// Runs on the calling thread alone and shows the outputs where they lie, in single precision.
  ///
  /// - Throws: As `run(_:)`.
  public func observe(
    _ inputs: [String: Tensor], _ body: (ObservedOutput, Span<Float>) -> Void
  ) throws {
    try portable.check(inputs: inputs)
    switch try observer(for: inputs.mapValues(\.shape)) {
    case .compiled(let model, let shapes):
      try model.observe(inputs) { position, layout, elements in
        body(
          ObservedOutput(position: position, shape: shapes[position], layout: layout), elements)
      }
    case .interpreted(let interpreter): try interpreter.observe(inputs, body)
    }
  }

  private func program(for shapes: [String: [Int]]) throws -> Program {
    let known = programs.withLock { programs in
      programs.first { $0.shapes == shapes }?.program
    }
    if let known { return known }
    let made = try compiled(for: shapes)
    programs.withLock { programs in
      if programs.count == Self.capacity { programs.removeFirst() }
      programs.append((shapes, made))
    }
    return made
  }

  /// Made while others wait, who mostly want the same.
  private func observer(for shapes: [String: [Int]]) throws -> Observer {
    try observers.withLock { observers in
      if let known = observers.first(where: { $0.shapes == shapes }) { return known.program }
      let made = try compiledObserver(for: shapes)
      if observers.count == Self.capacity { observers.removeFirst() }
      observers.append((shapes, made))
      return made
    }
  }

  private func compiledObserver(for shapes: [String: [Int]]) throws -> Observer {
    var single = options
    single.threads = 1
    do {
      let graph = try portable.lowered(shapes: shapes)
      let outputs = graph.outputs.map { graph.type($0)?.shape ?? [] }
      return .compiled(
        try CompiledModel(observing: graph, options: single), outputShapes: outputs)
    } catch CompileError.unknownShape {
      return .interpreted(Interpreter(portable))
    }
  }

  private func compiled(for shapes: [String: [Int]]) throws -> Program {
    do {
      return .compiled(try CompiledModel(portable: portable, shapes: shapes, options: options))
    } catch CompileError.unknownShape {
      return .interpreted(Interpreter(portable))
    }
  }
}
