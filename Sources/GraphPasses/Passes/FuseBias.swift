// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Moves a constant that is added per channel to the result of a convolution or matrix product
/// into its bias; a `MatMul` of matrices becomes a `Gemm`.
package struct FuseBias: GraphPass {
  package var name: String { "fuse-bias" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let op = node.op as? Binary, op.function == .add || op.function == .subtract else {
      return nil
    }
    return FoldScale.patch(folding: node, in: index)
  }
}
