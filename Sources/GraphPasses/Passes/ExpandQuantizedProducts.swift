// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Writes `QLinearConv` and `QLinearMatMul` with constant weights as the ordinary operator between
/// dequantizing and quantizing nodes: the form that becomes one step of integers.
package struct ExpandQuantizedProducts: GraphPass {
  package var name: String { "expand-quantized-products" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    let op: any Op
    switch node.op {
    case let conv as QLinearConv:
      op = Conv(
        strides: conv.strides, dilations: conv.dilations, padding: conv.padding, group: conv.group)
    case is QLinearMatMul: op = MatMul()
    default: return nil
    }
    guard (8...9).contains(node.inputs.count), let output = index.onlyOutput(of: node),
      let weight = index.constant(node.inputs[3]),
      [1, 2, 4, 5, 6, 7].allSatisfy({ index.constant(node.inputs[$0]) != nil }),
      let scale = index.constant(node.inputs[1]), scale.count == 1,
      let scales = index.constant(node.inputs[4]), scales.rank <= 1,
      index.constant(node.inputs[5])?.count == scales.count,
      index.constant(node.inputs[6])?.count == 1, scale.elementType == .float32
    else { return nil }
    let isConvolution = op is Conv
    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    let title = node.name.isEmpty ? node.op.kind : node.name
    func add(_ op: any Op, _ part: String, _ inputs: [ValueID?]) -> ValueID {
      let value = patch.addValue(name: title + "." + part, type: nil)
      patch.addNode(op, name: title, inputs: inputs, outputs: [value])
      return value
    }
    let data = add(DequantizeLinear(), "input", [node.inputs[0], node.inputs[1], node.inputs[2]])
    let axis = isConvolution ? 0 : weight.rank - 1
    let factor = add(
      DequantizeLinear(axis: axis), "weight", [node.inputs[3], node.inputs[4], node.inputs[5]])
    var inputs: [ValueID?] = [data, factor]
    if isConvolution, node.inputs.count > 8, let bias = node.inputs[8] {
      let steps = scales.floats().map { $0 * scale.floats()[0] }
      let joint = patch.addConstant(
        Tensor(steps, shape: scales.shape), name: title + ".bias.scale")
      inputs.append(add(DequantizeLinear(axis: 0), "bias", [bias, joint]))
    }
    let result = add(op, "result", inputs)
    patch.addNode(
      QuantizeLinear(), name: title, inputs: [result, node.inputs[6], node.inputs[7]],
      outputs: [output])
    return patch
  }
}
