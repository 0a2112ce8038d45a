// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Folds a batch normalization into the convolution or matrix product before it:
/// `w′ = w · γ / √(σ² + ε)`, `b′ = (b − μ) · γ / √(σ² + ε) + β` per output channel.
///
/// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
/// Integer-Arithmetic-Only Inference", 2018, section 3.2. Computed in `Double`, then rounded.
package struct FoldBatchNormalization: GraphPass {
  package var name: String { "fold-batch-norm" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let affine = ChannelAffine(batchNormalization: node, in: index),
      let output = index.onlyOutput(of: node), let input = node.inputs[0],
      index.soleConsumer(of: input) != nil,
      let linear = ChannelLinearNode(index.producer(of: input), in: index),
      linear.outputLayout.channels == affine.factors.count
    else { return nil }
    return GraphPatch(folding: affine, of: node, into: linear, output: output, in: index)
  }
}
