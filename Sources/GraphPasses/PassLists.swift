// SPDX-License-Identifier: Apache-2.0

extension PassPipeline {
  /// What makes a network smaller and plainer and leaves it one of standard operators: run before
  /// quantization and before a file is written.
  ///
  /// Quantized networks keep their codes and their pairs of quantizing nodes. Names of values that
  /// remain are those of the file. Shapes may be symbolic.
  public static let portable = PassPipeline(
    [
      Step(FoldKnownValues(), "a weight may be normalized by its own statistics"),
      Step(UseStoredStatistics(), "networks are compressed for inference"),
      Step(InlineBranches(), "before simplification, which sees through the taken branch"),
      Step(
        ExpandFunctions(keepsStandardOperators: true),
        "quantized operators of other domains as pairs of quantizing nodes"),
    ] + simplification + [
      Step(
        RecognizeActivations(keepsOperatorSet: true),
        "before biases are folded, which would take the 3 of x + 3 away"),
      Step(
        RecognizeLayerNormalization(keepsOperatorSet: true),
        "one operator that is kept in float as a whole"),
      Step(RecognizeGlobalPooling(), "independent of the size of the map"),
    ] + folding + [Step(DropDeadNodes(), "what recognized operators no longer need")])

  /// As `portable`, but a network that was saved in training mode stays in it.
  public static let asWritten = PassPipeline(
    portable.steps.filter { !($0.pass is UseStoredStatistics) })

  /// What prepares a network of fixed shapes, after `portable`, for our own runtime.
  ///
  /// Operators and what is done with their results become `Fused` steps, of integers where codes
  /// surround them. The result is not for files.
  public static let lowering = PassPipeline(
    [
      Step(FoldKnownValues(), "conditions that follow from the shapes"),
      Step(WidenCodes(), "integer kernels work on bytes"),
      Step(InlineBranches(), "as in portable"),
      Step(ExpandFunctions(), "the runtime has ways for the parts"),
      Step(ExpandQuantizedProducts(), "one form of quantized network"),
      Step(WidenHalfPrecision(), "kernels are made for 32 bits; before others look for patterns"),
    ] + simplification + [
      Step(MergeEqualNodes(mergesQuantization: true), "one pair of quantizing nodes per value"),
      Step(RecognizeActivations(keepsOperatorSet: false), "the runtime has them all"),
      Step(RecognizeLayerNormalization(keepsOperatorSet: false), "as above"),
      Step(RecognizeGlobalPooling(), "maps whose size was symbolic"),
    ] + folding + [
      Step(FuseBias(takesComputedWeights: true), "biases that files keep apart from rounding"),
      Step(DropDeadNodes(), "dead users would keep operators from being fused"),
      Step(RecognizeAttention(), "before additions and scales become stages of its products"),
      Step(RecognizeDynamicProduct(), "before what turns its sums into reals is fused elsewhere"),
      Step(DropDeadNodes(), "scales and casts that recognized products did"),
      Step(SinkDequantization(), "movements work on bytes"),
      Step(FoldConstants(), "movements of quantized weights"),
      Step(HoistQuantization(), "what computes a moved tensor can write codes"),
      Step(CancelRequantization(), "what sinking leaves between two movements"),
      Step(DropDeadNodes(), "dequantized values that movements used"),
      Step(FuseProductBias(), "the first stage, as activations stand behind it"),
      Step(
        FuseActivation(ofProductsOnly: true),
        "stages first, so that additions see what they add to"),
      Step(FuseInnerQuantization(), "codes inside a step are rounded to in registers"),
      Step(
        FuseActivation(ofProductsOnly: true),
        "activations that stood behind such codes"),
      Step(FuseAddition(), "residual connections, after the activations inside the branch"),
      Step(FuseActivation(), "activations behind additions, and of the other operators"),
      Step(FuseDequantization(), "inputs as codes, once all stages of real numbers are in place"),
      Step(FuseActivation(), "activations of operators that take stages only with codes"),
      Step(FuseQuantization(), "outputs as codes, last: nothing is fused behind them"),
      Step(FoldConstants(dequantizes: true), "quantized weights that no integer step reads"),
      Step(DropDeadNodes(), "dequantizing nodes that all users have passed by"),
    ])

  /// What makes a network plainer before it is trained: its batch norms and dropouts stay, and every
  /// weight keeps its name, so that trained values can be put back.
  ///
  /// The result is still standard ONNX.
  public static let trainable = PassPipeline([
    Step(FoldShapes(), "shapes that nodes compute are constants; weights stay as they are"),
    Step(UseStoredStatistics(), "one form of batch norm"),
    Step(DropUnusedOutputs(), "dropouts with a mask that nobody reads"),
    Step(DropDeadNodes(), "what folded constants no longer need"),
  ])

  /// What lets networks of 16-bit floating-point numbers be quantized like others; still standard
  /// ONNX.
  package static let singlePrecision = PassPipeline([
    Step(WidenHalfPrecision(), "ranges and codes are made of 32-bit numbers"),
    Step(FoldKnownValues(), "constants that were cast"),
    Step(MergeEqualNodes(), "one cast for all who read a value"),
    Step(DropDeadNodes(), "casts that nobody reads any more"),
  ])

  private static let simplification = [
    Step(FoldKnownValues(), "other passes look for constants"),
    Step(DropIdentities(), "nodes that stand between others for nothing"),
    Step(MergeTransposes(), "one permutation instead of two"),
    Step(MergeReshapes(), "one change of shape instead of two"),
    Step(MergeSlices(), "one slice instead of two"),
    Step(DropIdentities(), "merged movements that undo each other"),
    Step(DropUnusedOutputs(), "operators with one result are easier to rewrite"),
    Step(DropDeadNodes(), "dead users would keep nodes from being folded"),
    Step(MergeEqualNodes(), "after constants and shapes, which make more nodes equal"),
  ]

  private static let folding = [
    Step(RecognizeLeakyRelu(), "one operator in place of an operator with a parameter"),
    Step(FlattenProduct(), "matrix products take biases and batch norms"),
    Step(MergePad(), "before batch norms, which fold forward only past no padding"),
    Step(FuseBias(), "biases and scales between an operator and its batch norm"),
    Step(FoldScale(), "as above"),
    Step(FoldBatchNormalization(), "the batch norm goes into the weights"),
    Step(FuseBias(), "biases and scales behind a batch norm or another scale"),
    Step(FoldScale(), "as above"),
    Step(
      FoldBatchNormalizationForward(),
      "only batch norms that the operator before could not take"),
    Step(FoldScaleForward(), "only scales that the operator before could not take"),
  ]
}
