// SPDX-License-Identifier: Apache-2.0
package import GraphIR

extension MaxPool: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    node.outputs.count == 1 ? .carrying(operands: [0]) : .real
  }
}

extension AveragePool: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    .arithmetic(operands: [0])
  }
}

extension GlobalPool: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    statistic == .maximum ? .carrying(operands: [0]) : .arithmetic(operands: [0])
  }
}

extension Reduce: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    function == .mean ? .arithmetic(operands: [0]) : .real
  }
}
