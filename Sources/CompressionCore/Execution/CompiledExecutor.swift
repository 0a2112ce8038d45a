// SPDX-License-Identifier: Apache-2.0
public import CPURuntime
public import GraphIR
public import GraphPasses
import Synchronization
public import TensorCore

/// Runs a network on the CPU runtime, compiled once for each combination of input shapes.
public final class CompiledExecutor: GraphExecutor {
  private let graph: Graph
  private let lowering: PassPipeline
  private let options: CompileOptions
  // Shared by the callers; a class because of this lock.
  private let models: Mutex<[[[Int]]: CompiledModel]>

  /// - Parameters:
  ///   - graph: A network in the portable form.
  ///   - lowering: The passes that make it fit for the compiler.
  ///   - options: Threads and precision.
  public init(
    _ graph: Graph, lowering: PassPipeline = .lowering, options: CompileOptions = CompileOptions()
  ) {
    self.graph = graph
    self.lowering = lowering
    self.options = options
    models = Mutex([:])
  }

  /// Makes executors with the same passes and options.
  public static func factory(
    lowering: PassPipeline = .lowering, options: CompileOptions = CompileOptions()
  ) -> ExecutorFactory {
    { CompiledExecutor($0, lowering: lowering, options: options) }
  }

  public func run(_ inputs: [String: Tensor]) throws -> [Tensor] {
    let names = graph.inputs.map { graph[$0].name }
    let shapes = names.map { inputs[$0]?.shape ?? [] }
    if let model = models.withLock({ $0[shapes] }) { return try model.run(inputs) }
    try graph.check(inputs: inputs)
    let specialized = try graph.specialized(
      to: Dictionary(zip(names, shapes), uniquingKeysWith: { first, _ in first }))
    let model = try CompiledModel(lowering.run(specialized).graph, options: options)
    models.withLock { $0[shapes] = model }
    return try model.run(inputs)
  }
}
