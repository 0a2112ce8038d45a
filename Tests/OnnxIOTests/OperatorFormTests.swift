// SPDX-License-Identifier: Apache-2.0
import GraphIR
import OnnxIO
import TensorCore
import Testing

/// An operator with attributes that differ from their defaults.
struct OperatorCase: Sendable, CustomTestStringConvertible {
  var op: any Op
  var inputCount = 1
  var outputCount = 1
  var testDescription: String { "\(op)" }

  init(_ op: any Op, inputs: Int = 1, outputs: Int = 1) {
    self.op = op
    inputCount = inputs
    outputCount = outputs
  }

  func declareDomain(in graph: inout Graph) {
    if !op.domain.isEmpty { graph.metadata.otherOpsets[op.domain] = 1 }
  }
}

@Suite("Every operator has an ONNX form that keeps its attributes")
struct OperatorFormTests {
  private static let window = PoolingWindow(
    kernel: [3, 2], strides: [2, 1], dilations: [1, 2], padding: .explicit([1, 0, 0, 1]),
    ceilMode: true)

  private static let unaries: [Unary.Function] = [
    .abs, .acos, .acosh, .asin, .asinh, .atan, .atanh, .bitwiseNot, .ceil, .celu(alpha: 2), .cos,
    .cosh, .elu(alpha: 0.5), .erf, .exp, .floor, .gelu(tanhApproximation: true),
    .gelu(tanhApproximation: false), .hardSigmoid(alpha: 0.25, beta: 0.75), .hardSwish,
    .isInfinity(detectsNegative: false, detectsPositive: true), .isNaN, .leakyRelu(alpha: 0.2),
    .log, .mish, .negate, .not, .reciprocal, .relu, .round, .selu(alpha: 1.5, gamma: 2),
    .shrink(bias: 0.5, lambda: 1.5), .sigmoid, .sign, .sin, .sinh, .softplus, .softsign, .sqrt,
    .swish(alpha: 2), .tan, .tanh, .thresholdedRelu(alpha: 0.5),
  ]

  private static let binaries: [Binary.Function] = [
    .add, .subtract, .multiply, .divide, .power, .prelu, .modulo(isFmod: true),
    .modulo(isFmod: false), .equal, .less, .lessOrEqual, .greater, .greaterOrEqual, .and, .or,
    .xor, .bitwiseAnd, .bitwiseOr, .bitwiseXor, .shiftLeft, .shiftRight,
  ]

  private static var resize: Resize {
    var resize = Resize(
      mode: .cubic, coordinates: .alignCorners, rounding: .ceil, axes: [2, 3],
      aspectPolicy: .notLarger)
    resize.antialiases = true
    resize.cubicCoefficient = -0.5
    resize.excludesOutside = true
    resize.extrapolationValue = 3
    return resize
  }

  private static let windows: [OperatorCase] = [
    .init(Conv(strides: [2, 1], dilations: [1, 2], padding: .sameUpper, group: 3), inputs: 3),
    .init(Conv(padding: .explicit([0, 1, 2, 3])), inputs: 2),
    .init(
      ConvTranspose(
        strides: [2, 2], dilations: [2, 1], padding: .sameLower, group: 2, outputPadding: [1, 0],
        outputShape: [7, 8]), inputs: 3),
    .init(ConvInteger(strides: [2], dilations: [3], padding: .valid, group: 2), inputs: 4),
    .init(QLinearConv(strides: [2], dilations: [3], padding: .valid, group: 2), inputs: 9),
    .init(MaxPool(window: window, columnMajorIndices: true), outputs: 2),
    .init(AveragePool(window: window, countsPadding: true)),
    .init(GlobalPool(.average)), .init(GlobalPool(.maximum)),
  ]

  private static let products: [OperatorCase] = [
    .init(Gemm(alpha: 2, beta: 0.5, transposesA: true, transposesB: true), inputs: 3),
    .init(MatMul(), inputs: 2), .init(MatMulInteger(), inputs: 4),
    .init(QLinearMatMul(), inputs: 8), .init(Einsum(equation: "ij,jk->ik"), inputs: 2),
    .init(
      BatchNormalization(epsilon: 1e-3, momentum: 0.5, trainingMode: true), inputs: 5, outputs: 3),
    .init(LayerNormalization(axis: 1, epsilon: 1e-6), inputs: 3),
    .init(InstanceNormalization(epsilon: 1e-6), inputs: 3),
    .init(LocalResponseNormalization(size: 5, alpha: 0.1, beta: 0.5, bias: 2)),
    .init(Softmax(axis: 1)), .init(Softmax(axis: -2, isLogarithm: true)),
    .init(QuantizeLinear(axis: 0, blockSize: 4, outputType: .int4), inputs: 2),
    .init(QuantizeLinear(axis: -1), inputs: 3),
    .init(DequantizeLinear(axis: 0, blockSize: 2), inputs: 3),
    .init(DynamicQuantizeLinear(), outputs: 3),
  ]

  private static let selections: [OperatorCase] = [
    .init(ArgExtreme(isMaximum: true, axis: 1, keepsDimensions: false, selectsLast: true)),
    .init(ArgExtreme(isMaximum: false, axis: -1)),
    .init(Concat(axis: -1), inputs: 3), .init(Split(axis: 1), outputs: 3),
    .init(Split(axis: 0), inputs: 2, outputs: 2), .init(Slice(), inputs: 5),
    .init(Gather(axis: 2), inputs: 2), .init(GatherElements(axis: 1), inputs: 2),
    .init(GatherND(batchDimensions: 1), inputs: 2),
    .init(ScatterElements(axis: 1, reduction: .maximum), inputs: 3),
    .init(ScatterND(reduction: .multiply), inputs: 3), .init(OneHot(axis: 0), inputs: 3),
    .init(Pad(mode: .wrap), inputs: 4), .init(Pad(mode: .reflect), inputs: 2),
    .init(TopK(axis: 0, selectsLargest: false, sorts: false), inputs: 2, outputs: 2),
    .init(CumSum(isExclusive: true, isReversed: true), inputs: 2),
    .init(Trilu(isUpper: false), inputs: 2), .init(NonZero()),
    .init(EyeLike(elementType: .int32, offset: -1)), .init(Where(), inputs: 3),
  ]

  private static let shapes: [OperatorCase] = [
    .init(Reshape(allowsZero: true), inputs: 2), .init(Flatten(axis: 2)),
    .init(Squeeze(), inputs: 2), .init(Squeeze()), .init(Unsqueeze(), inputs: 2),
    .init(Transpose(permutation: [2, 0, 1])), .init(Transpose()), .init(Expand(), inputs: 2),
    .init(Tile(), inputs: 2), .init(DepthToSpace(blockSize: 2, order: .columnRowDepth)),
    .init(SpaceToDepth(blockSize: 3)), .init(Shape(start: 1, end: -1)), .init(Size()),
    .init(ConstantOfShape(value: Tensor([Int64(7)], shape: [1]))), .init(NumberRange(), inputs: 3),
    .init(resize, inputs: 4), .init(Clip(), inputs: 3), .init(Cast(to: .bfloat16)),
    .init(Identity()), .init(Dropout(), outputs: 2), .init(Dropout(), inputs: 2),
    .init(Variadic(.sum), inputs: 3), .init(Variadic(.mean), inputs: 2),
    .init(Variadic(.minimum)), .init(Variadic(.maximum), inputs: 2),
  ]

  private static var attention: Attention {
    var attention = Attention(queryHeads: 4, keyHeads: 2, scale: 0.5, isCausal: true)
    attention.softcap = 2
    attention.scores = .masked
    attention.softmaxPrecision = .float32
    attention.leftWindow = 3
    return attention
  }

  private static let functions: [OperatorCase] = [
    .init(attention, inputs: 7, outputs: 4),
    .init(RotaryEmbedding(isInterleaved: true, turnedCount: 4, heads: 2), inputs: 4),
    .init(RMSNormalization(axis: 1, epsilon: 1e-6, precision: .float64), inputs: 2),
    .init(GroupNormalization(groups: 3, epsilon: 1e-6), inputs: 3),
    .init(MeanVarianceNormalization(axes: [1])), .init(LpNormalization(axis: 0, order: 1)),
    .init(Hardmax(axis: 1)),
    .init(NegativeLogLikelihoodLoss(reduction: .sum, ignoredClass: -1), inputs: 3),
    .init(SoftmaxCrossEntropyLoss(reduction: .none, ignoredClass: 2), inputs: 3, outputs: 2),
    .init(AffineGrid(alignsCorners: true), inputs: 2), .init(CenterCropPad(axes: [1]), inputs: 2),
    .init(SignalWindow(.blackman, isPeriodic: false, elementType: .float64)),
    .init(SwiGLU(alpha: 2), inputs: 2), .init(CausalConvWithState(gates: true), inputs: 4),
    .init(GlobalLpPool(order: 3)), .init(ShortTimeFourierTransform(isOnesided: false), inputs: 4),
  ]

  private static let samplers: [OperatorCase] = [
    .init(GridSample(mode: .cubic, outside: .reflection, alignsCorners: true), inputs: 2),
    .init(
      RegionAlignment(
        outputHeight: 2, outputWidth: 3, sampling: 2, scale: 0.5, takesMaximum: true), inputs: 3),
    .init(
      DeformableConvolution(
        strides: [2, 1], dilations: [1, 2], pads: [0, 1, 2, 3], group: 2, offsetGroups: 3),
      inputs: 5),
    .init(ColumnsToImage(strides: [2], dilations: [3], pads: [1, 2]), inputs: 3),
    .init(NonMaxSuppression(isCentered: true), inputs: 5),
    .init(LpPool(window: window, order: 3)), .init(MaxUnpool(window: unpooled), inputs: 3),
    .init(FourierTransform(isInverse: true, isOnesided: true), inputs: 3),
    .init(MelWeightMatrix(elementType: .float64), inputs: 5),
    .init(
      LinearAttention(rule: .gated, queryHeads: 4, keyHeads: 2, scale: 0.5), inputs: 5, outputs: 2),
    .init(RandomDraw(.normal(mean: 1, deviation: 2), shape: [2, 3], seed: 4), inputs: 0),
    .init(RandomDraw(.uniform(low: 1, high: 2), elementType: .float64)),
    .init(RandomDraw(.bernoulli, seed: 1)), .init(RandomDraw(.multinomial(count: 5))),
    .init(BitCast(to: .int16)), .init(Compress(axis: -1), inputs: 2),
    .init(ReverseSequence(batchAxis: 0, timeAxis: 1), inputs: 2),
    .init(TensorScatter(axis: 1, wrapsAround: true), inputs: 3), .init(Determinant()),
    .init(Unique(axis: 1, sorts: false), outputs: 4),
    .init(CumSum(isExclusive: true, multiplies: true), inputs: 2),
    .init(SpaceToDepth(blockSize: 2, order: .columnRowDepth)),
  ]

  private static let unpooled = PoolingWindow(
    kernel: [3, 2], strides: [2, 1], padding: .explicit([1, 0, 0, 1]))

  private static let recurrent: [OperatorCase] = [
    .init(Recurrent(.rnn, hiddenSize: 3, direction: .reverse), inputs: 6, outputs: 2),
    .init(
      Recurrent(
        .gru(linearBeforeReset: true), direction: .bidirectional,
        activations: [
          .scaledTanh(alpha: 2, beta: 3), .elu(alpha: 0.5), .softsign, .affine(alpha: 1, beta: 2),
        ], clip: 4, isBatchFirst: true), inputs: 4, outputs: 2),
    .init(Recurrent(.lstm(couplesInputAndForget: true)), inputs: 8, outputs: 3),
  ]

  private static let contributed: [OperatorCase] = [
    .init(QuantizedFunction(.add), inputs: 8), .init(QuantizedFunction(.multiply), inputs: 8),
    .init(QuantizedFunction(.concat(axis: 1)), inputs: 8),
    .init(QuantizedFunction(.averagePool(AveragePool(window: unpooled))), inputs: 5),
    .init(QuantizedFunction(.globalAveragePool), inputs: 5),
    .init(QuantizedFunction(.leakyRelu(alpha: 0.5)), inputs: 5),
    .init(QuantizedFunction(.sigmoid), inputs: 5), .init(QuantizedFunction(.select), inputs: 9),
    .init(QuantizedFunction(.softmax(axis: 1, flattensTrailingAxes: true)), inputs: 5),
    .init(QuantizedFunction(.reduceMean(axes: [1], keepsDimensions: false)), inputs: 5),
    .init(QuantizedGemm(alpha: 2, transposesA: true, transposesB: true), inputs: 9),
    .init(BlockQuantizedProduct(rows: 32, columns: 3, bits: 8, blockSize: 16), inputs: 4),
    .init(
      FusedFunction(
        .conv(Conv(strides: [2, 1], group: 2), activation: .hardSigmoid(alpha: 1, beta: 2))),
      inputs: 4),
    .init(
      FusedFunction(.gemm(Gemm(alpha: 2), activation: .leakyRelu(alpha: 0.5))), inputs: 3),
    .init(
      FusedFunction(.matMul(alpha: 2, transposesA: true, transposesB: false)), inputs: 2),
    .init(FusedFunction(.gelu)), .init(FusedFunction(.fastGelu), inputs: 2),
    .init(FusedFunction(.biasGelu), inputs: 2), .init(FusedFunction(.quickGelu(alpha: 2))),
    .init(FusedFunction(.skipLayerNormalization(epsilon: 0.5)), inputs: 5),
    .init(FusedFunction(.skipRootMeanSquare(epsilon: 0.5)), inputs: 4),
    .init(FusedFunction(.rootMeanSquare(axis: 1, epsilon: 0.5)), inputs: 2),
  ]

  static let all: [OperatorCase] =
    functions + samplers + recurrent + contributed
    + unaries.map { .init(Unary($0)) } + binaries.map { .init(Binary($0), inputs: 2) } + windows
    + products + selections + shapes
    + Reduce.Function.allCases.map {
      .init(Reduce($0, keepsDimensions: false, emptyAxesMeanNone: true), inputs: 2)
    }

  @Test("Written and read again in the latest operator set", arguments: all)
  func latest(_ example: OperatorCase) throws {
    var graph = Graph(name: "g", metadata: GraphMetadata(opset: 28))
    example.declareDomain(in: &graph)
    let inputs = (0..<example.inputCount).map { graph.addInput(name: "x\($0)", type: nil) }
    let names = (0..<example.outputCount).map { "y\($0)" }
    graph.setOutputs(graph.addNode(example.op, name: "n", inputs: inputs, outputNames: names))
    let again = try OnnxModel.read(try OnnxModel.serialized(graph))
    #expect(differences(graph, again) == [])
  }

  @Test("Written and read again in the least operator set that has it", arguments: all)
  func least(_ example: OperatorCase) throws {
    var graph = Graph(name: "g")
    example.declareDomain(in: &graph)
    let inputs = (0..<example.inputCount).map { graph.addInput(name: "x\($0)", type: nil) }
    let names = (0..<example.outputCount).map { "y\($0)" }
    graph.setOutputs(graph.addNode(example.op, name: "n", inputs: inputs, outputNames: names))
    graph.metadata.opset = try OnnxModel.requiredOpset(graph)
    let again = try OnnxModel.read(try OnnxModel.serialized(graph))
    #expect(differences(graph, again) == [])
  }
}
