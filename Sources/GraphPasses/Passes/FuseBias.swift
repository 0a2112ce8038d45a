// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Moves a constant that is added per channel to the result of a convolution or matrix product
/// into its bias; a `MatMul` of matrices becomes a `Gemm`.
///
/// Convolutions whose weights nodes compute, from codes for example, take one too if asked to.
package struct FuseBias: GraphPass {
  package var name: String { "fuse-bias" }

  private let takesComputedWeights: Bool

  package init(takesComputedWeights: Bool = false) {
    self.takesComputedWeights = takesComputedWeights
  }

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let op = node.op as? Binary, op.function == .add || op.function == .subtract else {
      return nil
    }
    if let patch = FoldScale.patch(folding: node, in: index) { return patch }
    return takesComputedWeights ? FuseBias.patch(behindComputedWeights: node, in: index) : nil
  }

  /// The patch for a convolution without a bias whose weight is no real constant.
  private static func patch(behindComputedWeights node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let output = index.onlyOutput(of: node) else { return nil }
    for value in node.inputs {
      guard let value, let product = index.producer(of: value), product.op is Conv,
        product.inputs.dropFirst(2).allSatisfy({ $0 == nil }), index.soleConsumer(of: value) != nil,
        let type = index.type(value),
        let dimensions = type.dimensions, dimensions.count > 2,
        case .fixed(let channels) = dimensions[1],
        let affine = ChannelAffine(node, of: value, channels: channels, in: index),
        affine.factors.allSatisfy({ $0 == 1 })
      else { continue }
      var patch = GraphPatch(of: index.graph)
      let bias = patch.addConstant(
        Tensor(reals: affine.offsets, shape: [channels], elementType: type.elementType),
        name: index.graph[value].name + ".bias")
      patch.remove(product)
      patch.remove(node)
      patch.addNode(
        product.op, name: product.name, inputs: product.inputs.prefix(2) + [bias], outputs: [output]
      )
      return patch
    }
    return nil
  }
}
