// SPDX-License-Identifier: Apache-2.0
import GraphIR

/// The operators with a gradient rule, by name, for messages.
package enum DifferentiableCatalog {
  package static let types: [any Differentiable.Type] = [
    Conv.self, ConvTranspose.self, AdderConv.self, MatMul.self, Gemm.self, Unary.self, Clip.self,
    Binary.self, Variadic.self, Where.self, Cast.self, Identity.self, Dropout.self,
    RandomDropout.self, StopGradient.self, StraightThrough.self, FakeQuantize.self,
    IntervalQuantize.self, LogarithmicQuantize.self, MaxPool.self,
    AveragePool.self,
    GlobalPool.self, BatchStatisticsNormalization.self, BatchNormalization.self,
    LayerNormalization.self, RowNormalization.self, Softmax.self, SoftmaxCrossEntropy.self,
    Reduce.self, CumSum.self,
    Reshape.self, Flatten.self, Squeeze.self, Unsqueeze.self, Transpose.self, Expand.self,
    DepthToSpace.self, SpaceToDepth.self, Concat.self, Split.self, Slice.self, Pad.self,
    Gather.self, GatherElements.self, Trilu.self,
  ]

  package static let names: [String] = types.map { "\($0)" }.sorted()
}
