// SPDX-License-Identifier: Apache-2.0
public import GraphIR

/// Nodes that make a new weight of a weight and its gradient.
///
/// An implementer is a value. Its nodes must work element by element, or on the whole tensor in an
/// order that does not depend on threads.
public protocol OptimizerRule: Sendable {
  /// Names of the tensors of the weight's shape that it keeps from update to update; zero at first.
  var stateNames: [String] { get }

  /// Adds the nodes of one update.
  ///
  /// - Returns: The new weight, and the new state in the order of `stateNames`.
  func addUpdate(
    _ operands: UpdateOperands, to graph: inout Graph
  ) -> (weight: ValueID, state: [ValueID])
}

/// What an update of one weight has to work with.
public struct UpdateOperands: Sendable {
  /// The weight's name.
  public var name: String
  public var weight: ValueID
  public var gradient: ValueID
  /// As `OptimizerRule.stateNames`.
  public var state: [ValueID]
  /// A scalar.
  public var learningRate: ValueID
  /// The number of the update from 1, a float scalar.
  public var step: ValueID
  /// A scalar that gradients are to be multiplied by first; `nil` for 1.
  public var gradientScale: ValueID?
  public var weightDecay: Float
}

extension OptimizerOptions {
  /// The rule that these options stand for.
  public var rule: any OptimizerRule {
    switch self {
    case .sgd(let momentum, let usesNesterov):
      SGDRule(momentum: Float(momentum), usesNesterov: usesNesterov)
    case .adam(let beta1, let beta2, let epsilon):
      AdamRule(
        beta1: Float(beta1), beta2: Float(beta2), epsilon: Float(epsilon), decouplesDecay: false)
    case .adamW(let beta1, let beta2, let epsilon):
      AdamRule(
        beta1: Float(beta1), beta2: Float(beta2), epsilon: Float(epsilon), decouplesDecay: true)
    case .rmsProp(let smoothing, let momentum, let epsilon):
      RMSPropRule(smoothing: Float(smoothing), momentum: Float(momentum), epsilon: Float(epsilon))
    }
  }
}

struct SGDRule: OptimizerRule {
  var momentum: Float
  var usesNesterov: Bool
  var stateNames: [String] { ["velocity"] }

  func addUpdate(
    _ operands: UpdateOperands, to graph: inout Graph
  ) -> (weight: ValueID, state: [ValueID]) {
    let op = SGDUpdate(
      momentum: momentum, usesNesterov: usesNesterov, weightDecay: operands.weightDecay)
    return graph.addUpdate(
      op, of: operands,
      inputs: [operands.weight, operands.gradient, operands.state[0], operands.learningRate],
      stateNames: stateNames)
  }
}

struct AdamRule: OptimizerRule {
  var beta1: Float
  var beta2: Float
  var epsilon: Float
  var decouplesDecay: Bool
  var stateNames: [String] { ["moment1", "moment2"] }

  func addUpdate(
    _ operands: UpdateOperands, to graph: inout Graph
  ) -> (weight: ValueID, state: [ValueID]) {
    let op = AdamUpdate(
      beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: operands.weightDecay,
      decouplesDecay: decouplesDecay)
    return graph.addUpdate(
      op, of: operands,
      inputs: [
        operands.weight, operands.gradient, operands.state[0], operands.state[1],
        operands.learningRate, operands.step,
      ], stateNames: stateNames)
  }
}

struct RMSPropRule: OptimizerRule {
  var smoothing: Float
  var momentum: Float
  var epsilon: Float
  var stateNames: [String] { ["square", "velocity"] }

  func addUpdate(
    _ operands: UpdateOperands, to graph: inout Graph
  ) -> (weight: ValueID, state: [ValueID]) {
    let op = RMSPropUpdate(
      smoothing: smoothing, epsilon: epsilon, momentum: momentum,
      weightDecay: operands.weightDecay)
    return graph.addUpdate(
      op, of: operands,
      inputs: [
        operands.weight, operands.gradient, operands.state[0], operands.state[1],
        operands.learningRate,
      ], stateNames: stateNames)
  }
}

extension Graph {
  /// Adds an update whose last input is the gradient scale and whose outputs are the weight and
  /// the state.
  fileprivate mutating func addUpdate(
    _ op: any Op, of operands: UpdateOperands, inputs: [ValueID?], stateNames: [String]
  ) -> (weight: ValueID, state: [ValueID]) {
    let outputs = addNode(
      op, name: "\(operands.name)/update",
      inputs: operands.gradientScale == nil ? inputs : inputs + [operands.gradientScale],
      outputNames: ["\(operands.name)/updated"]
        + stateNames.map { "\(operands.name)/\($0)/updated" })
    return (outputs[0], Array(outputs.dropFirst()))
  }
}
