// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Lets a step of integers write integer codes where only a `QuantizeLinear` uses its result, and
/// makes one step, a clamp without bounds, of a dequantization that is quantized to another scale.
///
/// Last stages that only cut off what the codes cannot hold anyway are left out.
package struct FuseQuantization: GraphPass {
  package var name: String { "fuse-quantization" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let code = LinearCode(quantizing: node, in: index), code.isByteWithOneScale,
      let input = node.inputs[0], let output = index.onlyOutput(of: node),
      let source = index.producer(of: input)
    else { return nil }
    var patch = GraphPatch(of: index.graph)

    if let given = LinearCode(dequantizing: source, in: index), given.isByteWithOneScale {
      let step = Fused(
        root: Clip(), rootInputCount: 1, inputCodes: [given], outputCode: code)
      patch.remove(node)
      patch.addNode(step, name: node.name, inputs: [source.inputs[0]], outputs: [output])
      return patch
    }
    guard index.soleConsumer(of: input) != nil, var step = FusedNode(source, in: index),
      step.hasCodes, step.isOpen
    else { return nil }
    step.step.outputCode = code
    while let last = step.step.stages.last, code.implies(last) { step.step.stages.removeLast() }
    step.rewrite(in: &patch, output: output)
    patch.remove(node)
    return patch
  }
}
