// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

extension Conv: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    weightedRole(of: node, in: index, channelAxis: 0)
  }
}

extension ConvTranspose: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    weightedRole(of: node, in: index, channelAxis: group == 1 ? 1 : nil)
  }
}

extension Gemm: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    guard alpha == 1, !transposesA else { return .real }
    guard
      case .weighted(var operands) = weightedRole(
        of: node, in: index, channelAxis: transposesB ? 0 : 1)
    else { return .real }
    let extent = index.constant(node.inputs[1])?.shape[transposesB ? 0 : 1]
    if let bias = operands.bias, beta != 1 || index.constant(node.inputs[bias])?.count != extent {
      operands.bias = nil
    }
    return .weighted(operands)
  }
}

extension MatMul: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    guard let weight = index.constant(node.inputs[1]), weight.rank >= 2 else { return .real }
    return weightedRole(of: node, in: index, channelAxis: weight.rank == 2 ? 1 : nil)
  }
}

/// Data first, floating-point constant weights second, perhaps a constant bias third.
private func weightedRole(
  of node: Node, in index: GraphIndex, channelAxis: Int?
) -> QuantizationRole {
  guard node.inputs.count >= 2, node.inputs[0] != nil, index.constant(node.inputs[0]) == nil,
    let weight = index.constant(node.inputs[1]), weight.elementType == .float32,
    weight.rank >= 2, weight.count > 0
  else { return .real }
  var operands = WeightedOperands(data: 0, weight: 1, bias: nil, channelAxis: channelAxis)
  if let bias = node.inputs.optional(2) {
    if index.constant(bias)?.elementType == .float32 { operands.bias = 2 } else { return .real }
  }
  return .weighted(operands)
}
