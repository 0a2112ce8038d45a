// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

extension QuantizationRoleProviding {
  /// The role of an operator that moves elements of its first input.
  fileprivate func carriesFirst(_ node: Node, _ index: GraphIndex) -> QuantizationRole {
    index.constant(node.inputs.first ?? nil) == nil ? .carrying(operands: [0]) : .real
  }
}

extension Reshape: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    carriesFirst(node, index)
  }
}

extension Flatten: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    carriesFirst(node, index)
  }
}

extension Squeeze: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    carriesFirst(node, index)
  }
}

extension Unsqueeze: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    carriesFirst(node, index)
  }
}

extension Transpose: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    carriesFirst(node, index)
  }
}

extension Expand: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    carriesFirst(node, index)
  }
}

extension Tile: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    carriesFirst(node, index)
  }
}

extension DepthToSpace: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    carriesFirst(node, index)
  }
}

extension SpaceToDepth: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    carriesFirst(node, index)
  }
}

extension Slice: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    carriesFirst(node, index)
  }
}

extension Split: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    carriesFirst(node, index)
  }
}

extension Gather: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    carriesFirst(node, index)
  }
}

extension Identity: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    carriesFirst(node, index)
  }
}

extension Dropout: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    carriesFirst(node, index)
  }
}

extension Pad: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    if mode == .constant, let value = node.inputs.optional(2) {
      guard index.constant(value)?.reals() == [0] else { return .real }
    }
    return carriesFirst(node, index)
  }
}

extension Concat: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    let isComputed = node.inputs.allSatisfy { $0 != nil && index.constant($0) == nil }
    return isComputed ? .joining(operands: Array(node.inputs.indices)) : .real
  }
}

extension Resize: QuantizationRoleProviding {
  package func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole {
    mode == .nearest ? carriesFirst(node, index) : .real
  }
}
