// SPDX-License-Identifier: Apache-2.0
public import GraphIR
public import TensorCore

/// A value that outlives a step: a weight, a running statistic, an optimizer's state.
public struct TrainingVariable: Sendable {
  public var name: String
  /// The graph's input that stands for the value before the step.
  public var input: ValueID
  /// What the step leaves in its place; `nil` for a value that the step only reads.
  public var output: ValueID?
  public var initial: Tensor

  public init(name: String, input: ValueID, output: ValueID?, initial: Tensor) {
    self.name = name
    self.input = input
    self.output = output
    self.initial = initial
  }
}

/// One step of training, or of any computation with a state, as a graph.
///
/// The graph's inputs are those of the batch (first axis: the batch), scalars such as the learning
/// rate, and the variables; its outputs are what the caller wants to see of each step.
public struct TrainingStep: Sendable {
  public var graph: Graph
  public var variables: [TrainingVariable]

  public init(graph: Graph, variables: [TrainingVariable]) {
    self.graph = graph
    self.variables = variables
  }
}
