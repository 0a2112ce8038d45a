// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Lets operators that only move elements work on the integer codes, and dequantizes behind them.
///
/// Applies where all moved inputs have the same code of 8 bits with one scale, and what a `Pad`
/// fills in is a number that the code can hold.
package struct SinkDequantization: GraphPass {
  package var name: String { "sink-dequantization" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let op = node.op as? any ElementMovement else { return nil }
    let moved = op.movedInputs(of: node)
    let sources = moved.compactMap { position in
      position < node.inputs.count ? index.producer(of: node.inputs[position]) : nil
    }
    let codes = sources.compactMap { LinearCode(dequantizing: $0, in: index) }
    guard let code = codes.first, let source = sources.first, code.isByteWithOneScale,
      sources.count == moved.count, codes.count == moved.count, codes.allSatisfy({ $0 == code })
    else { return nil }

    var patch = GraphPatch(of: index.graph)
    var inputs = node.inputs
    for (position, source) in zip(moved, sources) { inputs[position] = source.inputs[0] }
    if let position = op.fillInput {
      let real =
        position < inputs.count && inputs[position] != nil ? index.scalar(inputs[position]) : 0
      guard let real, let fill = code.code(of: real) else { return nil }
      patch.setFill(fill, position, of: &inputs, type: code.elementType)
    }
    patch.remove(node)
    var outputs = node.outputs
    for position in outputs.indices where position == 0 || op.movesToAllOutputs {
      guard let output = outputs[position] else { continue }
      let type = index.type(output).map { TensorType(code.elementType, $0.dimensions) }
      let codes = patch.addValue(name: index.graph[output].name + ".codes", type: type)
      outputs[position] = codes
      patch.addNode(
        DequantizeLinear(), name: source.name, inputs: [codes] + source.inputs.dropFirst(),
        outputs: [output])
    }
    patch.addNode(node.op, name: node.name, inputs: inputs, outputs: outputs)
    return patch
  }
}

extension GraphPatch {
  /// Puts the code of the number that fills padding among a node's inputs.
  mutating func setFill(
    _ code: Int64, _ position: Int, of inputs: inout [ValueID?], type: ElementType
  ) {
    while inputs.count <= position { inputs.append(nil) }
    inputs[position] = addConstant(
      Tensor(integers: [code], shape: [], elementType: type), name: "fill")
  }
}
