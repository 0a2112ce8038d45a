// SPDX-License-Identifier: Apache-2.0
public import GraphIR
public import TensorCore

/// A graph in the form that is trained: weights are inputs, and batch normalizations use, and
/// update, the statistics of the batch.
public struct TrainableGraph: Sendable {
  /// What a parameter does in its layer; optimizers treat them differently.
  public enum Role: String, Sendable, Codable, CaseIterable {
    case weight, bias, normalizationScale, normalizationBias

    /// A number that a method of training added, such as the step of a quantizer.
    case auxiliary
  }

  /// A value that training changes.
  public struct Parameter: Sendable {
    /// The name of the constant in the original graph, and of the input here.
    public var name: String
    public var input: ValueID
    public var initial: Tensor
    public var role: Role

    public init(name: String, input: ValueID, initial: Tensor, role: Role) {
      self.name = name
      self.input = input
      self.initial = initial
      self.role = role
    }
  }

  /// A running mean or variance, which a step replaces by `output`.
  public struct Statistic: Sendable {
    /// The name of the constant in the original graph, and of the input here.
    public var name: String
    public var input: ValueID
    public var output: ValueID
    public var initial: Tensor

    public init(name: String, input: ValueID, output: ValueID, initial: Tensor) {
      self.name = name
      self.input = input
      self.output = output
      self.initial = initial
    }
  }

  public var graph: Graph

  /// In the order in which the network uses them.
  public var parameters: [Parameter]
  public var statistics: [Statistic]

  /// The input that random dropouts count steps by, an int64 scalar; `nil` without dropouts.
  public var step: ValueID?

  public init(
    graph: Graph, parameters: [Parameter] = [], statistics: [Statistic] = [], step: ValueID? = nil
  ) {
    self.graph = graph
    self.parameters = parameters
    self.statistics = statistics
    self.step = step
  }
}

/// How a graph is brought into training form.
public struct TrainingFormOptions: Codable, Sendable, Equatable {
  /// Whether batch normalizations keep their stored statistics, and only scale and bias are trained.
  public var freezesStatistics: Bool

  /// Names of constants that stay constants though they are weights.
  public var frozen: Set<String>

  /// The share that running statistics keep in each step; `nil` for that of each normalization.
  public var momentum: Float?

  /// Whether dropouts drop; otherwise they stay what they are in inference.
  public var appliesDropout: Bool

  /// Tells the random numbers of dropouts of different trainings apart.
  public var seed: UInt64

  public init(
    freezesStatistics: Bool = false, frozen: Set<String> = [], momentum: Float? = nil,
    appliesDropout: Bool = true, seed: UInt64 = 0
  ) {
    self.freezesStatistics = freezesStatistics
    self.frozen = frozen
    self.momentum = momentum
    self.appliesDropout = appliesDropout
    self.seed = seed
  }
}
