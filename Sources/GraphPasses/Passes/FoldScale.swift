// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Multiplies the weights of a convolution or matrix product by the constant per channel that its
/// result is multiplied or divided by.
package struct FoldScale: GraphPass {
  package var name: String { "fold-scale" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let op = node.op as? Binary, op.function == .multiply || op.function == .divide else {
      return nil
    }
    return FoldScale.patch(folding: node, in: index)
  }

  /// The patch that folds an arithmetic node with one constant operand into the linear node that
  /// computes the other.
  static func patch(folding node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let output = index.onlyOutput(of: node),
      let value = node.inputs.first(where: { index.constant($0) == nil }).flatMap({ $0 }),
      index.soleConsumer(of: value) != nil,
      let linear = ChannelLinearNode(index.producer(of: value), in: index),
      let affine = ChannelAffine(
        node, of: value, channels: linear.outputLayout.channels, in: index)
    else { return nil }
    return GraphPatch(folding: affine, of: node, into: linear, output: output, in: index)
  }
}
