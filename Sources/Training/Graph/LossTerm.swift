// SPDX-License-Identifier: Apache-2.0
public import Autodiff
public import GraphIR
public import TensorCore

/// A part of what training makes small.
///
/// An implementer adds nodes behind the network's values and may add parameters, scalars and
/// constants of its own, a second network's for example.
public protocol LossTerm: Sendable {
  /// What reports call it.
  var name: String { get }

  /// Factor in the sum of all terms.
  var weight: Double { get }

  /// Adds the nodes; returns the loss, a float scalar that is a mean over the batch.
  func addLoss(to context: inout LossContext) throws -> ValueID
}

extension LossTerm {
  public var weight: Double { 1 }
}

/// A change of the network before its gradients are taken, such as nodes put between others.
///
/// The values that the network's constants became must keep their names.
public protocol GraphTransform: Sendable {
  var name: String { get }

  /// Changes the network in training form; its shapes are known.
  func transform(_ context: inout LossContext) throws
}

/// A network in training form and what losses are made of.
public struct LossContext: Sendable {
  public var network: TrainableGraph

  /// What the network is given, `[N, …]`.
  public let samples: ValueID

  /// What the network says of the batch, `[N, classes]`, before any softmax.
  public var scores: ValueID

  /// What it should say, `[N, classes]`.
  public let targets: ValueID

  /// Samples of a batch.
  public let batchSize: Int

  /// Of everything random.
  public let seed: UInt64

  /// Inputs that are new for every update.
  public private(set) var scalars: [StepScalar] = []

  package init(
    network: TrainableGraph, samples: ValueID, scores: ValueID, targets: ValueID, batchSize: Int,
    seed: UInt64 = 0
  ) {
    self.network = network
    self.samples = samples
    self.scores = scores
    self.targets = targets
    self.batchSize = batchSize
    self.seed = seed
  }

  /// Adds an input that is a number, new for every update.
  public mutating func addScalar(_ scalar: StepScalar) -> ValueID {
    let id = network.graph.addInput(
      name: network.graph.uniqueName(scalar.name), type: TensorType(scalar.elementType, shape: []))
    var named = scalar
    named.name = network.graph[id].name
    scalars.append(named)
    return id
  }

  /// Lets an input of the graph count updates from 0.
  mutating func countSteps(by input: ValueID) {
    scalars.append(
      StepScalar(name: network.graph[input].name, elementType: .int64) { Double($0.step) })
  }

  /// Adds a node with one output.
  @discardableResult
  public mutating func add(_ op: any Op, _ inputs: [ValueID?], name: String) -> ValueID {
    network.graph.addNode(op, name: name, inputs: inputs, outputNames: [name])[0]
  }

  /// Adds a constant scalar.
  public mutating func constant(_ value: Float, name: String) -> ValueID {
    network.graph.addConstant(Tensor(scalar: value), name: name)
  }

  /// Adds a parameter that training changes as its policy says, and that checkpoints keep.
  ///
  /// - Returns: The value that stands for it; its name is `name`, which must be new.
  public mutating func addParameter(
    _ name: String, initial: Tensor, role: TrainableGraph.Role = .auxiliary
  ) -> ValueID {
    let input = network.graph.addInput(
      name: name, type: TensorType(initial.elementType, shape: initial.shape))
    network.parameters.append(
      TrainableGraph.Parameter(name: name, input: input, initial: initial, role: role))
    return input
  }

  /// Adds a number that every update replaces by what a node computes, and that checkpoints keep.
  ///
  /// - Parameter output: Makes the node from the value before the update.
  public mutating func addStatistic(
    _ name: String, initial: Tensor, output: (ValueID, inout LossContext) -> ValueID
  ) -> ValueID {
    let input = network.graph.addInput(
      name: name, type: TensorType(initial.elementType, shape: initial.shape))
    let updated = output(input, &self)
    network.statistics.append(
      TrainableGraph.Statistic(name: name, input: input, output: updated, initial: initial))
    return input
  }
}

/// The loss that a recipe names.
public struct RecipeLoss: LossTerm {
  public var name: String { kind.rawValue }
  public var weight: Double
  public let kind: TrainingRecipe.Loss

  public init(_ kind: TrainingRecipe.Loss, weight: Double = 1) {
    self.kind = kind
    self.weight = weight
  }

  public func addLoss(to context: inout LossContext) throws -> ValueID {
    let (scores, targets) = (context.scores, context.targets)
    switch kind {
    case .crossEntropy: return addCrossEntropy(to: &context)
    case .meanSquared:
      let difference = context.add(Binary(.subtract), [scores, targets], name: "loss/difference")
      let square = context.add(Binary(.multiply), [difference, difference], name: "loss/square")
      return context.add(Reduce(.mean, keepsDimensions: false), [square], name: "loss/mse")
    case .kullbackLeibler:
      let crossEntropy = addCrossEntropy(to: &context)
      // −Σ t · log t, with 0 · log 0 = 0: the least positive normal number stands in for 0.
      let least = context.constant(.leastNormalMagnitude, name: "loss/least")
      let bounded = context.add(Clip(), [targets, least], name: "loss/bounded")
      let logarithm = context.add(Unary(.log), [bounded], name: "loss/log")
      let product = context.add(Binary(.multiply), [targets, logarithm], name: "loss/product")
      let sum = context.add(Reduce(.sum, keepsDimensions: false), [product], name: "loss/sum")
      let share = context.constant(1 / Float(context.batchSize), name: "loss/share")
      let negative = context.add(Binary(.multiply), [sum, share], name: "loss/entropy")
      return context.add(Binary(.add), [crossEntropy, negative], name: "loss/kl")
    }
  }

  private func addCrossEntropy(to context: inout LossContext) -> ValueID {
    context.network.graph.addNode(
      SoftmaxCrossEntropy(), name: "loss", inputs: [context.scores, context.targets],
      outputNames: ["loss/cross_entropy", "loss/probabilities"])[0]
  }
}
