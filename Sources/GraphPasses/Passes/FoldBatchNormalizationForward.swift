// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Folds a batch normalization into the convolution or matrix product behind it, where every
/// result sees the whole channel: with no padding, for β would leak into the border.
///
/// A change of shape that makes rows of a matrix from whole samples may stand between.
package struct FoldBatchNormalizationForward: GraphPass {
  package var name: String { "fold-batch-norm-forward" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let linear = ChannelLinearNode(node, in: index), linear.op.seesWholeChannels,
      index.soleConsumer(of: linear.input) != nil,
      let layout = linear.op.inputLayout(weight: linear.weight.shape),
      let source = index.producer(of: linear.input)
    else { return nil }
    let reshape = source.op is Flatten || source.op is Reshape ? source : nil
    let normalized = reshape == nil ? linear.input : reshape?.inputs[0]
    guard let normalized, index.soleConsumer(of: normalized) != nil,
      let normalization = index.producer(of: normalized),
      let affine = ChannelAffine(batchNormalization: normalization, in: index),
      let input = normalization.inputs[0]
    else { return nil }
    var repeats = 1
    if reshape != nil {
      guard let spatial = columnsPerChannel(of: normalized, as: linear.input, in: index) else {
        return nil
      }
      repeats = spatial
    }
    guard layout.channels == affine.factors.count * repeats else { return nil }
    let factors = affine.factors.flatMap { Array(repeating: $0, count: repeats) }
    let offsets = affine.offsets.flatMap { Array(repeating: $0, count: repeats) }

    var bias = linear.bias
    for (position, element) in linear.weight.reals().enumerated() {
      bias[linear.outputLayout.channel(of: position)] +=
        element * offsets[layout.channel(of: position)]
    }
    var patch = GraphPatch(of: index.graph)
    patch.remove(normalization)
    if let reshape {
      patch.remove(reshape)
      patch.addNode(
        reshape.op, name: reshape.name, inputs: [input] + reshape.inputs.dropFirst(),
        outputs: reshape.outputs)
    }
    linear.rewrite(
      in: &patch, index: index, input: reshape == nil ? input : linear.input,
      weight: layout.scaled(linear.weight, by: factors), bias: bias, output: linear.output)
    return patch
  }

  /// Elements of each channel in a row of the matrix that `value` is reshaped to; `nil` if the
  /// rows are not the samples.
  private func columnsPerChannel(
    of value: ValueID, as matrix: ValueID, in index: GraphIndex
  ) -> Int? {
    guard let dimensions = index.type(value)?.dimensions, dimensions.count >= 2,
      let rows = index.type(matrix)?.dimensions, rows.count == 2, rows[0] == dimensions[0],
      rows[0] != .unknown
    else { return nil }
    let spatial = dimensions.dropFirst(2).compactMap(\.value)
    return spatial.count == dimensions.count - 2 ? spatial.reduce(1, *) : nil
  }
}
