// SPDX-License-Identifier: Apache-2.0
public import GraphIR
public import TensorCore

/// Something that runs one graph.
///
/// Implementers accept any batch size that the graph's inputs allow and may be called from
/// several threads at a time.
public protocol GraphExecutor: Sendable {
  /// The outputs in the graph's order for a tensor per input name.
  func run(_ inputs: [String: Tensor]) throws -> [Tensor]
}

/// Makes an executor of a graph in the portable form, as import or a method leaves it.
public typealias ExecutorFactory = @Sendable (Graph) throws -> any GraphExecutor

extension Interpreter: GraphExecutor {
  public func run(_ inputs: [String: Tensor]) throws -> [Tensor] {
    try run(inputs, observe: { _, _ in })
  }
}
