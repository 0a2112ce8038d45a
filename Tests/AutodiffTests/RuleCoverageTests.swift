// SPDX-License-Identifier: Apache-2.0
import Autodiff
import GraphIR
import TensorCore
import Testing

@Suite("Every operator has a gradient rule or a reason for having none")
struct RuleCoverageTests {
  /// Why an operator has no rule.
  enum Reason: String {
    case integers = "its result is made of integers or truth values"
    case shapes = "its result depends on shapes and counts alone"
    case codes = "its results are codes; training rounds through StraightThrough instead"
    case gradient = "second derivatives are not taken"
    case ranges = "ranges of fake quantization are observed, not trained"
    case update = "nothing follows an update within a step"
    case selection = "no network that is trained here selects in this way"
    case normalization = "networks with it are compressed here, not trained"
    case resampling = "networks with it are compressed here, not trained (resampling)"
    case einsum = "networks are trained with MatMul in its place"
    case function = "networks are trained with the operators that it stands for"
    case body = "networks with graphs inside nodes are compressed here, not trained"
    case recurrence = "networks with it are compressed here, not trained (recurrence)"
    case signal = "it prepares or analyses signals around a network"
    case unused = "no network that is trained here has it"
    case draws = "its result is drawn, whatever its operand is"
    case lowering = "it comes from compiling, after gradients are built"
    case unread = "its meaning is unknown"
  }

  static let withoutRule: [(any Op.Type, Reason)] = [
    (ArgExtreme.self, .integers), (NonZero.self, .integers), (OneHot.self, .integers),
    (ConvInteger.self, .codes), (MatMulInteger.self, .codes), (QLinearConv.self, .codes),
    (QLinearMatMul.self, .codes), (QuantizeLinear.self, .codes), (DequantizeLinear.self, .codes),
    (DynamicQuantizeLinear.self, .codes), (RoundToLevels.self, .codes),
    (UnpackCodes.self, .codes),
    (Shape.self, .shapes), (Size.self, .shapes), (ConstantOfShape.self, .shapes),
    (NumberRange.self, .shapes), (EyeLike.self, .shapes),
    (TopK.self, .selection), (GatherND.self, .selection), (ScatterElements.self, .selection),
    (ScatterND.self, .selection), (Tile.self, .selection),
    (InstanceNormalization.self, .normalization), (LocalResponseNormalization.self, .normalization),
    (Resize.self, .resampling), (Einsum.self, .einsum), (Fused.self, .lowering),
    (DotProductAttention.self, .lowering), (DynamicMatMul.self, .lowering),
    (Opaque.self, .unread),
    (BatchStatisticsNormalizationGradient.self, .gradient), (ConvInputGradient.self, .gradient),
    (ConvWeightGradient.self, .gradient), (ChannelSum.self, .gradient),
    (MaxPoolGradient.self, .gradient), (AveragePoolGradient.self, .gradient),
    (GlobalAveragePoolGradient.self, .gradient), (UnaryGradient.self, .gradient),
    (ClipGradient.self, .gradient), (SoftmaxGradient.self, .gradient),
    (LayerNormalizationGradient.self, .gradient), (RowNormalizationGradient.self, .gradient),
    (SliceGradient.self, .gradient),
    (SumToShape.self, .gradient), (SoftmaxCrossEntropyGradient.self, .gradient),
    (AdderConvInputGradient.self, .gradient), (AdderConvWeightGradient.self, .gradient),
    (FakeQuantizeGradient.self, .gradient),
    (IntervalQuantizeGradient.self, .gradient), (MagnitudeStep.self, .ranges),
    (RangeAverage.self, .ranges), (RangeGrid.self, .ranges),
    (Attention.self, .function), (RotaryEmbedding.self, .function), (SwiGLU.self, .function),
    (RMSNormalization.self, .function), (GroupNormalization.self, .function),
    (MeanVarianceNormalization.self, .function), (LpNormalization.self, .function),
    (NegativeLogLikelihoodLoss.self, .function), (SoftmaxCrossEntropyLoss.self, .function),
    (CausalConvWithState.self, .function), (AffineGrid.self, .function),
    (CenterCropPad.self, .function), (GlobalLpPool.self, .function),
    (FusedFunction.self, .function), (Hardmax.self, .selection), (SignalWindow.self, .shapes),
    (BlockQuantizedProduct.self, .codes), (QuantizedFunction.self, .codes),
    (QuantizedGemm.self, .codes), (BitCast.self, .codes),
    (If.self, .body), (Loop.self, .body), (Scan.self, .body),
    (Recurrent.self, .recurrence), (LinearAttention.self, .recurrence),
    (FourierTransform.self, .signal), (ShortTimeFourierTransform.self, .signal),
    (MelWeightMatrix.self, .shapes), (RandomDraw.self, .draws),
    (NonMaxSuppression.self, .integers), (Compress.self, .selection), (Unique.self, .selection),
    (TensorScatter.self, .selection), (ReverseSequence.self, .selection),
    (MaxUnpool.self, .selection), (RegionAlignment.self, .selection),
    (GridSample.self, .resampling), (DeformableConvolution.self, .resampling),
    (ColumnsToImage.self, .resampling), (LpPool.self, .unused), (Determinant.self, .unused),
    (SGDUpdate.self, .update), (AdamUpdate.self, .update), (RMSPropUpdate.self, .update),
    (AverageUpdate.self, .update), (ClipScale.self, .update),
  ]

  @Test("Those with a rule, and those in the table without, are all operators that sources declare")
  func complete() throws {
    let ruled = DifferentiableCatalog.types.map { "\($0)" }
    let reasoned = Self.withoutRule.map { "\($0.0)" }
    #expect(Set(ruled).isDisjoint(with: reasoned))
    let declared = try DeclaredOperators.names()
    #expect(Set(ruled + reasoned) == Set(declared))
  }

  @Test("No operator in the table has a rule", arguments: withoutRule.indices)
  func reasons(_ row: Int) {
    #expect(!(Self.withoutRule[row].0 is any Differentiable.Type))
  }
}
