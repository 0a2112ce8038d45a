// SPDX-License-Identifier: Apache-2.0
public import GraphIR
public import TensorCore

/// A method that takes part in training.
///
/// It may change the network, add losses, and treat parameters in its own way; several work
/// together. What it leaves out stays as the recipe says.
public protocol TrainingMethod: Sendable {
  /// What reports call it.
  var name: String { get }

  /// Changes of the network before its gradients are taken, in order.
  var transforms: [any GraphTransform] { get }

  /// What is made small beside the recipe's loss.
  var lossTerms: [any LossTerm] { get }

  /// Factor on the recipe's loss.
  var recipeLossFactor: Double { get }

  /// Exceptions to the recipe for single parameters, its own among them.
  var policies: [any ParameterPolicy] { get }

  /// The network as it is used: what evaluations score and files hold.
  ///
  /// - Parameters:
  ///   - network: `Trainer.network` with trained values, or what a method before made of it.
  ///   - values: All variables of the network by name, those that transforms added among them.
  func deployed(_ network: Graph, values: [String: Tensor]) throws -> Graph
}

extension TrainingMethod {
  public var transforms: [any GraphTransform] { [] }
  public var lossTerms: [any LossTerm] { [] }
  public var recipeLossFactor: Double { 1 }
  public var policies: [any ParameterPolicy] { [] }

  public func deployed(_ network: Graph, values: [String: Tensor]) throws -> Graph { network }
}

extension Trainer {
  /// Lets a method take part, behind those that do so already.
  public mutating func add(_ method: some TrainingMethod) {
    builder.lossTerms = builder.lossTerms.map { term -> any LossTerm in
      guard var own = term as? RecipeLoss else { return term }
      own.weight *= method.recipeLossFactor
      return own
    }
    builder.transforms += method.transforms
    builder.lossTerms += method.lossTerms
    builder.policies += method.policies
    methods.append(method)
  }

  /// The network that is used under given values of the variables.
  func deployed(_ network: Graph, values: [String: Tensor]) throws -> Graph {
    var network = network
    for method in methods { network = try method.deployed(network, values: values) }
    return network
  }
}
