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

  /// Whether a stage adds something else than a constant vector already.
  func addsTensor(in index: GraphIndex) -> Bool {
    node.inputs.dropFirst(step.rootInputCount).contains { addend in
      index.constant(addend).map { $0.rank != 1 } ?? true
    }
  }

  /// Adds the step with the given inputs and output, and removes the node.
  func rewrite(in patch: inout GraphPatch, inputs: [ValueID?]? = nil, output: ValueID? = nil) {
    patch.remove(node)
    patch.addNode(
      step, name: node.name, inputs: inputs ?? node.inputs, outputs: [output ?? self.output])
  }
}

extension FusedNode {
  /// Adds a stage; a clamp or ReLU behind a clamp or ReLU becomes one clamp, and one that codes
  /// imply is left out.
  mutating func append(_ stage: Fused.Stage) {
    if case .recode(let code) = stage {
      while let last = step.stages.last, code.implies(last) { step.stages.removeLast() }
    }
    if case .recode(let code) = step.stages.last, let range = code.realRange,
      let bounds = stage.bounds, bounds.lower <= range.lowerBound, bounds.upper >= range.upperBound
    {
      return
    }
    guard let first = step.stages.last?.bounds, let second = stage.bounds,
      first.lower <= first.upper, second.lower <= second.upper
    else {
      step.stages.append(stage)
      return
    }
    let lower = min(max(first.lower, second.lower), second.upper)
    let upper = max(min(first.upper, second.upper), lower)
    step.stages[step.stages.count - 1] =
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
