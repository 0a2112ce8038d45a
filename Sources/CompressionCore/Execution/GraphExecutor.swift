// SPDX-License-Identifier: Apache-2.0
public import CPURuntime
public import GraphIR
public import TensorCore

/// Something that runs one graph.
///
/// Implementers accept any batch size that the graph's inputs allow and may be called from
/// several threads at a time.
public protocol GraphExecutor: Sendable {
  /// The outputs in the graph's order for a tensor per input name.
  func run(_ inputs: [String: Tensor]) throws -> [Tensor]

  /// Runs on the calling thread alone and shows each output once it is computed.
  ///
  /// - Parameter body: Called with an output and its elements in the order of `layout`, which
  ///   stay valid during the call only.
  func observe(
    _ inputs: [String: Tensor], _ body: (ObservedOutput, Span<Float>) -> Void) throws

  /// How many calls of `observe` at a time are best.
  var observerCount: Int { get }
}

/// Which output an executor shows, and how its elements lie.
public struct ObservedOutput: Sendable, Equatable {
  /// Position among the graph's outputs.
  public var position: Int
  public var shape: [Int]
  public var layout: Layout

  public init(position: Int, shape: [Int], layout: Layout) {
    self.position = position
    self.shape = shape
    self.layout = layout
  }
}

extension GraphExecutor {
  public func observe(
    _ inputs: [String: Tensor], _ body: (ObservedOutput, Span<Float>) -> Void
  ) throws {
    for (position, tensor) in try run(inputs).enumerated() {
      let output = ObservedOutput(position: position, shape: tensor.shape, layout: .plain)
      tensor.withFloats { body(output, $0.span) }
    }
  }

  public var observerCount: Int { 1 }
}

/// Makes an executor of a graph in the portable form, as import or a method leaves it.
public typealias ExecutorFactory = @Sendable (Graph) throws -> any GraphExecutor

extension Interpreter: GraphExecutor {
  public func run(_ inputs: [String: Tensor]) throws -> [Tensor] {
    try run(inputs, observe: { _, _ in })
  }
}
