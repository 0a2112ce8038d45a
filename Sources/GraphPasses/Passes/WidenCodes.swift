// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Stores constant codes of fewer than 8 bits in bytes, and lets activations with such codes be
/// clipped to them and coded in bytes: integer kernels work on bytes.
package struct WidenCodes: GraphPass {
  package var name: String { "widen-codes" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    switch node.op {
    case is DequantizeLinear: constants(of: node, in: index)
    case is QuantizeLinear: activation(of: node, in: index)
    default: nil
    }
  }

  private func constants(of node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let codes = index.constant(node.inputs[0]), let wide = codes.elementType.byte,
      let input = node.inputs[0]
    else { return nil }
    var patch = GraphPatch(of: index.graph)
    var inputs = node.inputs
    inputs[0] = patch.addConstant(
      Tensor(integers: codes.integers(), shape: codes.shape, elementType: wide),
      name: index.graph[input].name)
    if node.inputs.count > 2, let zeroPoint = node.inputs[2] {
      guard let zero = index.constant(zeroPoint) else { return nil }
      inputs[2] = patch.addConstant(
        Tensor(integers: zero.integers(), shape: zero.shape, elementType: wide),
        name: index.graph[zeroPoint].name)
    }
    patch.remove(node)
    patch.addNode(node.op, name: node.name, inputs: inputs, outputs: node.outputs)
    return patch
  }

  private func activation(of node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let code = LinearCode(quantizing: node, in: index), code.scales.count == 1,
      let wide = code.elementType.byte, let output = index.onlyOutput(of: node),
      !index.isOutput(output), let range = code.realRange, let input = node.inputs[0]
    else { return nil }
    let users = index.consumers(of: output)
    guard users.allSatisfy({ LinearCode(dequantizing: $0, in: index) == code }) else { return nil }
    var patch = GraphPatch(of: index.graph)
    let name = index.graph[output].name
    let bounds = [range.lowerBound, range.upperBound].map {
      patch.addConstant(Tensor(scalar: $0), name: "\(name).bound")
    }
    let clipped = patch.addValue(name: "\(name).clipped", type: index.type(input))
    let zero = patch.addConstant(
      Tensor(integers: [Int64(code.zeroPoints[0])], shape: [], elementType: wide),
      name: "\(name).zero_point")
    let codes = patch.addValue(
      name: "\(name).wide", type: index.type(output).map { TensorType(wide, $0.dimensions) })
    patch.remove(node)
    patch.addNode(
      Clip(), name: "\(node.name).clip", inputs: [input, bounds[0], bounds[1]], outputs: [clipped])
    patch.addNode(
      QuantizeLinear(), name: node.name, inputs: [clipped, node.inputs[1], zero], outputs: [codes])
    for user in users {
      patch.remove(user)
      patch.addNode(
        user.op, name: user.name, inputs: [codes, user.inputs[1], zero], outputs: user.outputs)
    }
    return patch
  }
}

extension ElementType {
  /// The type of 8 bits in place of a narrower one.
  fileprivate var byte: ElementType? {
    switch self {
    case .int2, .int4: .int8
    case .uint2, .uint4: .uint8
    default: nil
    }
  }
}
