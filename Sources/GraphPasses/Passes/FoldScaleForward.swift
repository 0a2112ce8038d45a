// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Multiplies the weights of a convolution or matrix product by the constant per channel that its
/// input is multiplied or divided by; padding, being zero, stays what it is.
package struct FoldScaleForward: GraphPass {
  package var name: String { "fold-scale-forward" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let linear = ChannelLinearNode(node, in: index), linear.op.readsChannelsInPlace,
      index.soleConsumer(of: linear.input) != nil,
      let layout = linear.op.inputLayout(weight: linear.weight.shape),
      let source = index.producer(of: linear.input), source.op is Binary,
      let input = source.inputs.first(where: { index.constant($0) == nil }).flatMap({ $0 }),
      index.haveEqualDimensions(input, linear.input),
      let affine = ChannelAffine(source, of: input, channels: layout.channels, in: index),
      affine.offsets.allSatisfy({ $0 == 0 })
    else { return nil }
    var patch = GraphPatch(of: index.graph)
    patch.remove(source)
    linear.rewrite(
      in: &patch, index: index, input: input,
      weight: layout.scaled(linear.weight, by: affine.factors), bias: nil, output: linear.output)
    return patch
  }
}
