// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Lets a step read integer codes where its inputs come from `DequantizeLinear`.
///
/// Convolutions and matrix products take activation and weight only together, each of 8 bits, the
/// activation with one scale and the weight with one per output channel at most; the bias follows
/// if it has 32 bits. The dequantizing nodes stay for their other users.
package struct FuseDequantization: GraphPass {
  package var name: String { "fuse-dequantization" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard var step = FusedNode(node, in: index),
      index.type(step.output)?.elementType == .float32
        || step.step.outputCode != nil
    else { return nil }
    var inputs = node.inputs
    let isNew = !step.hasCodes && takeRootCodes(&step, &inputs, in: index)
    let takesAddends = step.hasCodes && takeAddendCodes(&step, &inputs, in: index)
    guard isNew || takesAddends else { return nil }

    var patch = GraphPatch(of: index.graph)
    step.rewrite(in: &patch, inputs: inputs)
    return patch
  }

  private func takeRootCodes(
    _ step: inout FusedNode, _ inputs: inout [ValueID?], in index: GraphIndex
  ) -> Bool {
    let count = step.step.rootInputCount
    let coded = step.root.codedInputs(count: count)
    guard coded.upperBound <= count else { return false }
    if step.root.needsQuantizedResult {
      guard let quantize = index.soleConsumer(of: step.output),
        LinearCode(quantizing: quantize, in: index)?.isByteWithOneScale == true
      else { return false }
    }
    let allowsConstants = step.root is Binary
    var codes = step.step.inputCodes
    for position in coded {
      if allowsConstants, index.constant(inputs[position]) != nil { continue }
      guard let (code, value) = code(of: inputs[position], in: index), code.isByte,
        isAllowed(code, position, step.root, index.type(value)?.rank)
      else { return false }
      codes[position] = code
      inputs[position] = value
    }
    if let bias = step.root.biasInput, bias < count,
      let (code, value) = code(of: inputs[bias], in: index), code.elementType == .int32,
      isAllowed(code, bias, step.root, index.type(value)?.rank)
    {
      codes[bias] = code
      inputs[bias] = value
    }
    step.step.inputCodes = codes
    return step.hasCodes
  }

  private func takeAddendCodes(
    _ step: inout FusedNode, _ inputs: inout [ValueID?], in index: GraphIndex
  ) -> Bool {
    var position = step.step.rootInputCount
    var isChanged = false
    for (stage, kind) in step.step.stages.enumerated() {
      guard case .add(let present) = kind else { continue }
      if present == nil, let (code, value) = code(of: inputs[position], in: index),
        code.isByteWithOneScale
      {
        step.step.stages[stage] = .add(code)
        inputs[position] = value
        isChanged = true
      }
      position += 1
    }
    return isChanged
  }

  private func isAllowed(
    _ code: LinearCode, _ position: Int, _ root: any FusionRoot, _ rank: Int?
  ) -> Bool {
    guard let axis = code.axis else { return true }
    guard let rank else { return false }
    return root.scaleAxis(ofInput: position, rank: rank) == axis
  }

  private func code(
    of value: ValueID?, in index: GraphIndex
  ) -> (code: LinearCode, codes: ValueID)? {
    guard let source = index.producer(of: value),
      let code = LinearCode(dequantizing: source, in: index), let codes = source.inputs[0]
    else { return nil }
    return (code, codes)
  }
}
