// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import GraphIR
import TensorCore

/// Steps that work on the same variables.
///
/// A class in every implementation, because it owns the variables.
protocol TrainingSession: AnyObject {
  /// Bytes of working memory.
  var arenaByteCount: Int { get }

  /// A copy of a variable's value; `nil` for an unknown name.
  func value(of name: String) -> Tensor?

  /// - Throws: If the variable has another shape.
  func set(_ tensor: Tensor, for name: String) throws

  /// Runs a step; inputs that it does not take must not be given.
  func run(_ step: Int, _ inputs: [String: Tensor]) throws -> [String: Tensor]
}

/// What makes sessions of steps.
package enum TrainingBackend: Sendable {
  /// Compiled programs.
  case compiled
  /// The reference meaning of every operator: slow, the oracle of the other.
  case interpreted

  func session(
    _ steps: [TrainingStep], precision: TrainingRecipe.Precision, threads: Int?
  ) throws -> any TrainingSession {
    switch self {
    case .compiled:
      let options = TrainingOptions(
        threads: threads, precision: precision == .bf16 ? .bf16 : .fp32)
      return try CompiledSession(steps, options: options)
    case .interpreted: return InterpretedSession(steps)
    }
  }
}

/// Compiled programs over one store.
final class CompiledSession: TrainingSession {
  private let store = VariableStore()
  private let programs: [TrainingProgram]

  init(_ steps: [TrainingStep], options: TrainingOptions) throws {
    var programs: [TrainingProgram] = []
    for step in steps {
      programs.append(try TrainingProgram(step, store: store, options: options))
    }
    self.programs = programs
  }

  var arenaByteCount: Int { programs.reduce(0) { $0 + $1.arenaByteCount } }

  func value(of name: String) -> Tensor? { store.value(of: name) }

  func set(_ tensor: Tensor, for name: String) throws { try store.set(tensor, for: name) }

  func run(_ step: Int, _ inputs: [String: Tensor]) throws -> [String: Tensor] {
    try programs[step].run(inputs)
  }
}

/// Steps on the reference meaning of their operators.
final class InterpretedSession: TrainingSession {
  private let steps: [TrainingStep]
  private var values: [String: Tensor] = [:]
  var arenaByteCount: Int { 0 }

  init(_ steps: [TrainingStep]) {
    self.steps = steps
    for variable in steps.flatMap(\.variables) where values[variable.name] == nil {
      values[variable.name] = variable.initial
    }
  }

  func value(of name: String) -> Tensor? { values[name] }

  func set(_ tensor: Tensor, for name: String) throws { values[name] = tensor }

  func run(_ step: Int, _ inputs: [String: Tensor]) throws -> [String: Tensor] {
    let step = steps[step]
    var graph = step.graph
    let updated = step.variables.filter { $0.output != nil }
    graph.setOutputs(graph.outputs + updated.compactMap(\.output))
    var tensors = inputs
    for variable in step.variables { tensors[graph[variable.input].name] = values[variable.name] }
    let results = try Interpreter(graph).run(tensors)
    var outputs: [String: Tensor] = [:]
    for (id, tensor) in zip(step.graph.outputs, results) { outputs[graph[id].name] = tensor }
    for (variable, tensor) in zip(updated, results.dropFirst(step.graph.outputs.count)) {
      values[variable.name] = tensor
    }
    return outputs
  }
}
