// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Quantizes before operators that only move elements rather than behind them, so that what
/// computes the elements can write codes at once.
package struct HoistQuantization: GraphPass {
  package var name: String { "hoist-quantization" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let op = node.op as? any ElementMovement, op.movesElements,
      let output = index.onlyOutput(of: node), let quantize = index.soleConsumer(of: output),
      let code = LinearCode(quantizing: quantize, in: index), code.isByteWithOneScale,
      let result = index.onlyOutput(of: quantize)
    else { return nil }
    let moved = op.movedInputs(of: node)
    let values = moved.compactMap { $0 < node.inputs.count ? node.inputs[$0] : nil }
    let sources = values.map { index.producer(of: $0) }
    guard values.count == moved.count,
      zip(values, sources).allSatisfy({ value, source in
        guard let source else { return false }
        return source.op is DequantizeLinear || index.soleConsumer(of: value) != nil
      }), sources.contains(where: { !($0?.op is DequantizeLinear) })
    else { return nil }

    var patch = GraphPatch(of: index.graph)
    var inputs = node.inputs
    if let position = op.fillInput {
      let real =
        position < inputs.count && inputs[position] != nil ? index.scalar(inputs[position]) : 0
      guard let real, let range = code.elementType.integerRange else { return nil }
      let steps = (Float(real) / code.scales[0]).rounded(.toNearestOrEven)
      let fill = Int64(Float.maximum(-1e9, .minimum(1e9, steps))) + Int64(code.zeroPoints[0])
      patch.setFill(
        Swift.min(Swift.max(fill, range.lowerBound), range.upperBound), position, of: &inputs,
        type: code.elementType)
    }
    patch.remove(node)
    patch.remove(quantize)
    for (position, value) in zip(moved, values) {
      let type = index.type(value).map { TensorType(code.elementType, $0.dimensions) }
      let codes = patch.addValue(name: index.graph[value].name + ".codes", type: type)
      patch.addNode(
        quantize.op, name: quantize.name, inputs: [value] + quantize.inputs.dropFirst(),
        outputs: [codes])
      inputs[position] = codes
    }
    patch.addNode(
      node.op, name: node.name, inputs: inputs, outputs: [result] + node.outputs.dropFirst())
    return patch
  }
}
