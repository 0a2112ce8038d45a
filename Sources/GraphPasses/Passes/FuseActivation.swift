// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Makes an activation or a clamp with constant bounds a stage of the step that computes its
/// input, where nothing else uses that input.
package struct FuseActivation: GraphPass {
  package var name: String { "fuse-activation" }

  private let sparesAdditions: Bool

  /// - Parameter sparesAdditions: Whether activations behind an addition stay, for a pass that
  ///   makes the addition itself a stage.
  package init(sparesAdditions: Bool = false) { self.sparesAdditions = sparesAdditions }

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let stage = stage(of: node, in: index), let output = index.onlyOutput(of: node),
      let input = node.inputs[0], index.soleConsumer(of: input) != nil, index.isReal(input),
      index.type(input)?.elementType != .float64,
      var step = FusedNode(index.producer(of: input), in: index), step.takesActivation,
      !(sparesAdditions && AdditionOperands(step.node, in: index) != nil)
    else { return nil }

    var patch = GraphPatch(of: index.graph)
    step.step.appendJoining(stage)
    step.rewrite(in: &patch, output: output)
    patch.remove(node)
    return patch
  }

  private func stage(of node: Node, in index: GraphIndex) -> Fused.Stage? {
    if let unary = node.op as? Unary, unary.function.isActivationStage {
      return .activation(unary.function)
    }
    guard node.op is Clip else { return nil }
    var bounds: [Float] = [-.infinity, .infinity]
    for position in 1..<max(1, node.inputs.count) where node.inputs[position] != nil {
      guard position <= 2, let bound = index.scalar(node.inputs[position]), !bound.isNaN else {
        return nil
      }
      bounds[position - 1] = Float(bound)
    }
    return .clip(lower: bounds[0], upper: bounds[1])
  }
}

extension Fused {
  /// Adds a stage; a clamp or ReLU behind a clamp or ReLU becomes one clamp.
  fileprivate mutating func appendJoining(_ stage: Stage) {
    guard let first = stages.last?.bounds, let second = stage.bounds,
      first.lower <= first.upper, second.lower <= second.upper
    else {
      stages.append(stage)
      return
    }
    let lower = min(max(first.lower, second.lower), second.upper)
    let upper = max(min(first.upper, second.upper), lower)
    stages[stages.count - 1] =
      lower == 0 && upper == .infinity ? .activation(.relu) : .clip(lower: lower, upper: upper)
  }
}

extension Fused.Stage {
  /// The bounds between which the stage clamps; `nil` if it does more.
  fileprivate var bounds: (lower: Float, upper: Float)? {
    switch self {
    case .activation(.relu): (0, .infinity)
    case .clip(let lower, let upper): (lower, upper)
    default: nil
    }
  }
}
