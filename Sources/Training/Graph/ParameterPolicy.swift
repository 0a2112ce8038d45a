// SPDX-License-Identifier: Apache-2.0
public import Autodiff

/// What updates do with one parameter.
public struct ParameterOptions: Sendable {
  /// Factor on the learning rate.
  public var rateFactor: Double
  public var weightDecay: Double

  /// `false` keeps the parameter as it is.
  public var isTrained: Bool

  /// The rule of its updates; `nil` for that of the recipe.
  public var rule: (any OptimizerRule)?

  public init(
    rateFactor: Double = 1, weightDecay: Double = 0, isTrained: Bool = true,
    rule: (any OptimizerRule)? = nil
  ) {
    self.rateFactor = rateFactor
    self.weightDecay = weightDecay
    self.isTrained = isTrained
    self.rule = rule
  }
}

/// Gives parameters a learning rate, decay or rule of their own.
///
/// Of several policies the first that answers decides; the recipe decides for the others.
public protocol ParameterPolicy: Sendable {
  /// - Parameter standard: What the recipe says of the parameter.
  /// - Returns: `nil` for parameters that are none of its own.
  func options(
    for parameter: TrainableParameter, standard: ParameterOptions
  ) -> ParameterOptions?
}

extension TrainingRecipe {
  /// What the recipe says of a parameter: weights decay; scales and biases if it asks for that;
  /// what a method added does not.
  func options(for parameter: TrainableGraph.Parameter) -> ParameterOptions {
    let decays =
      parameter.role == .weight || (decaysNormalizationAndBias && parameter.role != .auxiliary)
    return ParameterOptions(weightDecay: decays ? weightDecay : 0)
  }
}

/// A parameter of a network in training form.
public typealias TrainableParameter = TrainableGraph.Parameter
