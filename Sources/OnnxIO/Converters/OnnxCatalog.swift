// SPDX-License-Identifier: Apache-2.0
import GraphIR

/// The operators that are converted; all others stay opaque.
enum OnnxCatalog {
  static let converters: [any OnnxConvertible.Type] = [
    // Elementwise.
    Unary.self, Binary.self, Variadic.self, Clip.self, Where.self, Cast.self, Identity.self,
    Dropout.self,
    // Convolution, pooling, matrix products.
    Conv.self, ConvTranspose.self, AdderConv.self, MaxPool.self, AveragePool.self,
    GlobalPool.self, Gemm.self, MatMul.self, MatMulInteger.self, Einsum.self, ConvInteger.self,
    QLinearConv.self, QLinearMatMul.self,
    // Normalization and reduction.
    BatchNormalization.self, LayerNormalization.self, InstanceNormalization.self,
    LocalResponseNormalization.self, Softmax.self, Reduce.self, ArgExtreme.self,
    // Selection and shape.
    Concat.self, Split.self, Slice.self, Gather.self, Pad.self, Reshape.self, Flatten.self,
    Squeeze.self, Unsqueeze.self, Transpose.self, Expand.self, Tile.self, DepthToSpace.self,
    SpaceToDepth.self, Resize.self, Shape.self, Size.self, ConstantOfShape.self, NumberRange.self,
    GatherElements.self, GatherND.self, ScatterElements.self, ScatterND.self, OneHot.self,
    TopK.self, CumSum.self, Trilu.self, NonZero.self, EyeLike.self,
    // Functions of other operators.
    Attention.self, RotaryEmbedding.self, RMSNormalization.self, GroupNormalization.self,
    MeanVarianceNormalization.self, LpNormalization.self, Hardmax.self,
    NegativeLogLikelihoodLoss.self, SoftmaxCrossEntropyLoss.self, AffineGrid.self,
    CenterCropPad.self, SignalWindow.self, SwiGLU.self, CausalConvWithState.self,
    // Sampling, signals, random numbers.
    GridSample.self, RegionAlignment.self, DeformableConvolution.self, ColumnsToImage.self,
    NonMaxSuppression.self, LpPool.self, GlobalLpPool.self, MaxUnpool.self, FourierTransform.self,
    ShortTimeFourierTransform.self, MelWeightMatrix.self, LinearAttention.self, RandomDraw.self,
    BitCast.self, Compress.self, ReverseSequence.self, TensorScatter.self, Determinant.self,
    Unique.self,
    // Operators that ONNX Runtime adds.
    QuantizedFunction.self, QuantizedGemm.self, BlockQuantizedProduct.self, FusedFunction.self,
    // Sequences and graphs inside nodes.
    Recurrent.self, If.self, Loop.self, Scan.self,
    // Quantization.
    QuantizeLinear.self, DequantizeLinear.self, DynamicQuantizeLinear.self, RoundToLevels.self,
    UnpackCodes.self,
  ]

  private static let convertersByOperator: [String: any OnnxConvertible.Type] = {
    var result: [String: any OnnxConvertible.Type] = [:]
    for converter in converters {
      for name in converter.onnxOperators { result[name] = converter }
    }
    return result
  }()

  /// The operator that a function stands for, if it is one of our own.
  ///
  /// Such functions are in the domain `swiftlet`; the operator is their name up to the first
  /// underscore.
  static func ownOperator(_ domain: String, _ name: String) -> String? {
    guard domain == "swiftlet", let base = name.split(separator: "_").first.map(String.init),
      converter(Domains.operatorName(base, in: domain)) != nil
    else { return nil }
    return base
  }

  /// What reads an operator, named `Operator` or `domain::Operator`.
  static func converter(_ name: String) -> (any OnnxConvertible.Type)? {
    convertersByOperator[name]
  }
}
