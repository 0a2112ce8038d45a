// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

extension Unary: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    switch function {
    case .relu, .leakyRelu, .hardSigmoid, .hardSwish, .sigmoid, .tanh, .elu, .celu, .selu, .swish,
      .gelu, .mish, .softplus, .softsign, .thresholdedRelu, .abs, .negate:
      .elementwise
    default: .real
    }
  }
}

extension Clip: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    let bounds = node.inputs.dropFirst().compactMap { $0 }
    return bounds.allSatisfy { index.constant($0) != nil } ? .elementwise : .real
  }
}

extension Binary: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    let constants = node.inputs.map { index.constant($0) }
    switch function {
    case .add, .subtract, .multiply, .divide:
      if constants.allSatisfy({ $0 == nil }) {
        return function == .add || function == .multiply ? .arithmetic(operands: [0, 1]) : .real
      }
      return constants.allSatisfy { $0 == nil || $0?.count == 1 } ? .elementwise : .real
    case .prelu: return index.constant(node.inputs[1]) != nil ? .elementwise : .real
    default: return .real
    }
  }
}

extension Variadic: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    function == .sum && node.inputs.count == 2
      && node.inputs.allSatisfy { index.constant($0) == nil }
      ? .arithmetic(operands: [0, 1]) : .real
  }
}
