// SPDX-License-Identifier: Apache-2.0
import GraphIR

/// A node seen as a fused step: a `Fused` node, or a plain root that could become one.
struct FusedNode {
  let node: Node
  let output: ValueID
  var step: Fused

  /// The root's facet.
  let root: any FusionRoot

  init?(_ node: Node?, in index: GraphIndex) {
    guard let node, let output = index.onlyOutput(of: node) else { return nil }
    let step = node.op as? Fused ?? Fused(root: node.op, rootInputCount: node.inputs.count)
    guard let root = step.root as? any FusionRoot else { return nil }
    self.node = node
    self.output = output
    self.step = step
    self.root = root
  }

  /// Whether the root's inputs are integer codes.
  var hasCodes: Bool { step.inputCodes.contains { $0 != nil } }

  /// Whether stages can still be added.
  var isOpen: Bool { step.outputCode == nil }

  /// Whether an activation may become the next stage.
  var takesActivation: Bool { isOpen && (hasCodes || root.realStages != .none) }

  /// Whether an addition may become the next stage.
  var takesAddition: Bool { isOpen && root.realStages == .activationsAndAdditions }

  /// Adds the step with the given inputs and output, and removes the node.
  func rewrite(in patch: inout GraphPatch, inputs: [ValueID?]? = nil, output: ValueID? = nil) {
    patch.remove(node)
    patch.addNode(
      step, name: node.name, inputs: inputs ?? node.inputs, outputs: [output ?? self.output])
  }
}
