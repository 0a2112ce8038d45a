// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Makes an activation or a clamp with constant bounds a stage of the step that computes its
/// input, where nothing else uses that input.
package struct FuseActivation: GraphPass {
  package var name: String { "fuse-activation" }

  private let ofProductsOnly: Bool

  /// - Parameter ofProductsOnly: Whether only convolutions and matrix products take stages, for a
  ///   pass that makes additions stages of them first.
  package init(ofProductsOnly: Bool = false) { self.ofProductsOnly = ofProductsOnly }

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let stage = stage(of: node, in: index), let output = index.onlyOutput(of: node),
      let input = node.inputs[0], index.soleConsumer(of: input) != nil, index.isReal(input),
      index.type(input)?.elementType != .float64,
      var step = FusedNode(index.producer(of: input), in: index), step.takesActivation,
      !ofProductsOnly || step.takesAddition
    else { return nil }

    var patch = GraphPatch(of: index.graph)
    step.append(stage)
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
