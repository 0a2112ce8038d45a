// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import GraphIR
import TensorCore
import Testing

/// One operator under test with random operands.
struct TrainingCase: Sendable, CustomTestStringConvertible {
  var name: String
  var op: any Op
  /// Shapes of the operands; `nil` for one that is left out.
  var inputs: [[Int]?]
  /// Which operands are variables; the others are inputs of the batch.
  var variables: Set<Int> = []
  var outputs = 1
  /// Bounds of each operand's elements, where they are not −2…2.
  var ranges: [Int: ClosedRange<Double>] = [:]
  /// Operands that are whole numbers, given as constants.
  var constants: [Int: [Int64]] = [:]

  var testDescription: String { name }
}

@Suite("Lowering of training operators")
struct TrainingLoweringTests {
  static let window = PoolingWindow(
    kernel: [3, 3], strides: [2, 2], padding: .explicit([1, 1, 1, 1]))

  static let cases: [TrainingCase] = {
    let three = Conv(padding: .explicit([1, 1, 1, 1]))
    let strided = Conv(strides: [2, 2], padding: .explicit([1, 1, 1, 1]))
    let depthwise = Conv(padding: .explicit([1, 1, 1, 1]), group: 16)
    let vector: [Int]? = [16]
    let image: [Int]? = [16, 16, 6, 6]
    func normalization(_ activation: TrainingActivation, addend: Bool) -> TrainingCase {
      TrainingCase(
        name: "normalization \(activation) \(addend)",
        op: BatchStatisticsNormalization(activation: activation),
        inputs: [image, vector, vector, vector, vector] + (addend ? [image] : []),
        variables: [1, 2, 3, 4], outputs: 5, ranges: [4: 0.5...2])
    }
    func gradient(
      _ activation: TrainingActivation, second: Bool, addend: Bool
    ) -> TrainingCase {
      TrainingCase(
        name: "normalization's gradient \(activation) \(second) \(addend)",
        op: BatchStatisticsNormalizationGradient(activation: activation),
        inputs: [image, second ? image : nil, image, image, vector, vector, vector, vector],
        variables: [4, 5, 6, 7], outputs: addend ? 4 : 3, ranges: [7: 0.5...2])
    }
    return [
      TrainingCase(
        name: "convolution", op: three, inputs: [[16, 3, 8, 8], [16, 3, 3, 3]], variables: [1]),
      TrainingCase(
        name: "convolution with bias", op: strided, inputs: [[16, 16, 8, 8], [8, 16, 3, 3], [8]],
        variables: [1, 2]),
      TrainingCase(
        name: "depthwise convolution", op: depthwise, inputs: [image, [16, 1, 3, 3]],
        variables: [1]),
      TrainingCase(
        name: "gradient of a convolution's input",
        op: ConvInputGradient(of: strided, inputExtents: [8, 8]),
        inputs: [[16, 8, 4, 4], [8, 16, 3, 3]], variables: [1]),
      TrainingCase(
        name: "gradient of a depthwise convolution's input",
        op: ConvInputGradient(of: depthwise, inputExtents: [6, 6]),
        inputs: [image, [16, 1, 3, 3]], variables: [1]),
      TrainingCase(
        name: "gradient of a strided depthwise convolution's input",
        op: ConvInputGradient(
          of: Conv(strides: [2, 2], padding: .explicit([1, 1, 1, 1]), group: 16),
          inputExtents: [8, 8]),
        inputs: [[16, 16, 4, 4], [16, 1, 3, 3]], variables: [1]),
      TrainingCase(
        name: "gradient of a convolution's weights",
        op: ConvWeightGradient(of: strided, kernelExtents: [3, 3]),
        inputs: [[16, 8, 4, 4], [16, 16, 8, 8]]),
      TrainingCase(
        name: "gradient of three channels' weights",
        op: ConvWeightGradient(of: three, kernelExtents: [3, 3]),
        inputs: [[16, 24, 8, 8], [16, 3, 8, 8]]),
      TrainingCase(
        name: "gradient of weights by pairs of positions",
        op: ConvWeightGradient(
          of: Conv(padding: .explicit([1, 1, 1, 1])), kernelExtents: [3, 3]),
        inputs: [[16, 32, 7, 7], [16, 16, 7, 7]]),
      TrainingCase(
        name: "gradient of strided weights by pairs of positions",
        op: ConvWeightGradient(of: strided, kernelExtents: [3, 3]),
        inputs: [[16, 16, 4, 4], [16, 8, 8, 8]]),
      TrainingCase(
        name: "gradient of depthwise weights",
        op: ConvWeightGradient(of: depthwise, kernelExtents: [3, 3]), inputs: [image, image]),
      normalization(.none, addend: false), normalization(.relu, addend: true),
      normalization(.relu6, addend: false), normalization(.hardSwish, addend: false),
      gradient(.none, second: false, addend: false), gradient(.relu, second: true, addend: true),
      gradient(.relu, second: true, addend: false), gradient(.relu6, second: false, addend: true),
      TrainingCase(
        name: "adder convolution", op: AdderConv(padding: .explicit([1, 1, 1, 1])),
        inputs: [image, [8, 16, 3, 3]], variables: [1]),
      TrainingCase(
        name: "adder convolution's input gradient",
        op: AdderConvInputGradient(of: AdderConv(padding: .explicit([1, 1, 1, 1]))),
        inputs: [[16, 8, 6, 6], image, [8, 16, 3, 3]], variables: [2]),
      TrainingCase(
        name: "adder convolution's weight gradient",
        op: AdderConvWeightGradient(of: AdderConv(padding: .explicit([1, 1, 1, 1]))),
        inputs: [[16, 8, 6, 6], image, [8, 16, 3, 3]], variables: [2]),
      TrainingCase(
        name: "dropout", op: RandomDropout(ratio: 0.3, stream: 5), inputs: [image, nil],
        constants: [1: [41]]),
      TrainingCase(
        name: "dropout of a vector", op: RandomDropout(ratio: 0.5, stream: 5),
        inputs: [[16, 37], nil], constants: [1: [3]]),
      TrainingCase(name: "unit rows", op: RowNormalization(), inputs: [image]),
      TrainingCase(
        name: "gradient of unit rows", op: RowNormalizationGradient(epsilon: 1e-12),
        inputs: [image, image]),
      TrainingCase(
        name: "sum of everything", op: Reduce(.sum, keepsDimensions: false), inputs: [image]),
      TrainingCase(name: "mean of everything", op: Reduce(.mean), inputs: [[16, 300]]),
      TrainingCase(
        name: "sum of squares", op: Reduce(.sumOfSquares, keepsDimensions: false),
        inputs: [image]),
      TrainingCase(
        name: "product with its own transpose", op: Gemm(transposesB: true),
        inputs: [[16, 96], [16, 96]]),
      TrainingCase(name: "channel sum", op: ChannelSum(), inputs: [image]),
      TrainingCase(
        name: "sum to channels", op: SumToShape(), inputs: [image, [16, 1, 1]], variables: [1]),
      TrainingCase(name: "sum over pixels", op: SumToShape(), inputs: [image, [16, 16, 1, 1]]),
      TrainingCase(name: "relu", op: Unary(.relu), inputs: [image]),
      TrainingCase(name: "sum", op: Binary(.add), inputs: [image, image]),
      TrainingCase(name: "sum of three", op: Variadic(.sum), inputs: [image, image, image]),
      TrainingCase(
        name: "product with channels", op: Binary(.multiply), inputs: [image, [16, 16, 1, 1]]),
      TrainingCase(
        name: "gradient of hard sigmoid",
        op: UnaryGradient(of: .hardSigmoid(alpha: 0.2, beta: 0.5)), inputs: [image, image]),
      TrainingCase(
        name: "gradient of clip", op: ClipGradient(lower: 0, upper: 1), inputs: [image, image]),
      TrainingCase(name: "max pool", op: MaxPool(window: window), inputs: [image]),
      TrainingCase(
        name: "max pool's gradient", op: MaxPoolGradient(window: window),
        inputs: [[16, 16, 3, 3], image]),
      TrainingCase(name: "average pool", op: AveragePool(window: window), inputs: [image]),
      TrainingCase(
        name: "average pool's gradient",
        op: AveragePoolGradient(window: window, countsPadding: true, inputExtents: [6, 6]),
        inputs: [[16, 16, 3, 3]]),
      TrainingCase(name: "global average", op: GlobalPool(.average), inputs: [image]),
      TrainingCase(
        name: "global average's gradient", op: GlobalAveragePoolGradient(inputExtents: [6, 6]),
        inputs: [[16, 16, 1, 1]]),
      TrainingCase(
        name: "linear layer", op: Gemm(transposesB: true), inputs: [[16, 24], [10, 24], [10]],
        variables: [1, 2]),
      TrainingCase(
        name: "linear layer's input", op: Gemm(), inputs: [[16, 10], [10, 24]], variables: [1]),
      TrainingCase(
        name: "linear layer's weights", op: Gemm(transposesA: true), inputs: [[16, 10], [16, 24]]),
      TrainingCase(
        name: "cross entropy", op: SoftmaxCrossEntropy(), inputs: [[16, 10], [16, 10]],
        outputs: 2, ranges: [1: 0...1]),
      TrainingCase(
        name: "cross entropy's gradient", op: SoftmaxCrossEntropyGradient(),
        inputs: [[], [16, 10], [16, 10]], ranges: [1: 0...1, 2: 0...1]),
      TrainingCase(
        name: "slice", op: Slice(), inputs: [image, nil, nil, nil, nil],
        constants: [1: [0, 0], 2: [6, 6], 3: [2, 3], 4: [2, 2]]),
      TrainingCase(
        name: "slice's gradient",
        op: SliceGradient(axes: [2, 3], starts: [0, 1], steps: [2, 2], extents: [6, 6]),
        inputs: [[16, 16, 3, 3]]),
      TrainingCase(
        name: "pad", op: Pad(), inputs: [image, nil],
        constants: [1: [0, 8, 0, 0, 0, 8, 0, 0]]),
      TrainingCase(
        name: "negative pad", op: Pad(), inputs: [image, nil],
        constants: [1: [0, -4, 0, 0, 0, -4, 0, 0]]),
      TrainingCase(name: "concatenation", op: Concat(axis: 1), inputs: [image, image]),
      TrainingCase(
        name: "transposition", op: Transpose(permutation: [0, 2, 1, 3]), inputs: [image]),
      TrainingCase(
        name: "momentum", op: SGDUpdate(momentum: 0.9, weightDecay: 1e-4),
        inputs: [[8, 300], [8, 300], [8, 300], []], variables: [0, 1, 2], outputs: 2),
      TrainingCase(
        name: "Adam", op: AdamUpdate(weightDecay: 0.1, decouplesDecay: true),
        inputs: [[8, 300], [8, 300], [8, 300], [8, 300], [], []], variables: [0, 1, 2, 3],
        outputs: 3, ranges: [3: 0...1, 5: 3...3]),
      TrainingCase(
        name: "RMSProp", op: RMSPropUpdate(momentum: 0.5),
        inputs: [[300], [300], [300], [300], [], []], variables: [0, 1, 2, 3], outputs: 3,
        ranges: [2: 0...1]),
      TrainingCase(
        name: "average of weights", op: AverageUpdate(), inputs: [[300], [300], []],
        variables: [0, 1]),
      TrainingCase(
        name: "fake quantization", op: FakeQuantize(codes: 0...15), inputs: [image, []],
        variables: [1], ranges: [1: 0.1...0.1]),
      TrainingCase(
        name: "fake quantization with an offset", op: FakeQuantize(codes: 0...15),
        inputs: [image, [], []], variables: [1, 2], ranges: [1: 0.2...0.2, 2: -1...(-1)]),
      TrainingCase(
        name: "fake quantization of weights", op: FakeQuantize(codes: -8...7),
        inputs: [[16, 3, 5], []], variables: [0, 1], ranges: [1: 0.1...0.1]),
      TrainingCase(
        name: "fake quantization of channels", op: FakeQuantize(codes: -8...7, axis: 0),
        inputs: [[16, 3, 5], [16]], variables: [0, 1], ranges: [1: 0.1...0.3]),
      TrainingCase(
        name: "gradient of a fake quantization",
        op: FakeQuantizeGradient(
          of: FakeQuantize(codes: -3...7, stepGradient: .learned, gradientScale: 1e-3)),
        inputs: [image, image, [], []], variables: [2, 3], outputs: 3,
        ranges: [2: 0.2...0.2, 3: 0.1...0.1]),
      TrainingCase(
        name: "gradient of a clipping quantization",
        op: FakeQuantizeGradient(
          of: FakeQuantize(codes: 0...7, stepGradient: .clipping, gradientScale: 1e-3)),
        inputs: [image, image, []], variables: [2], outputs: 2, ranges: [2: 0.2...0.2]),
      TrainingCase(
        name: "gradient of quantized channels",
        op: FakeQuantizeGradient(
          of: FakeQuantize(
            codes: -2...1, axis: 0, stepGradient: .learned, includesEnds: true, gradientScale: 1e-2)
        ),
        inputs: [[16, 30], [16, 30], [16, 1]], variables: [0, 1, 2], outputs: 2,
        ranges: [2: 0.3...0.5]),
      TrainingCase(
        name: "quantization of an interval", op: IntervalQuantize(levels: 15, isSigned: false),
        inputs: [image, [], []], variables: [1, 2], ranges: [1: 0.6...0.6, 2: 0.5...0.5]),
      TrainingCase(
        name: "quantization of an interval of weights",
        op: IntervalQuantize(levels: 7, isSigned: true), inputs: [[16, 3, 5], [], [], []],
        variables: [0, 1, 2, 3], ranges: [1: 0.6...0.6, 2: 0.5...0.5, 3: 0.8...0.8]),
      TrainingCase(
        name: "gradient of an interval",
        op: IntervalQuantizeGradient(
          of: IntervalQuantize(levels: 15, isSigned: false, gradientScale: 1e-3)),
        inputs: [image, image, [], []], variables: [2, 3], outputs: 3,
        ranges: [2: 0.6...0.6, 3: 0.5...0.5]),
      TrainingCase(
        name: "gradient of an interval of weights",
        op: IntervalQuantizeGradient(
          of: IntervalQuantize(levels: 15, isSigned: true, gradientScale: 1e-2)),
        inputs: [[16, 30], [16, 30], [], [], []], variables: [0, 1, 2, 3, 4], outputs: 4,
        ranges: [2: 0.6...0.6, 3: 0.5...0.5, 4: 0.8...0.8]),
      TrainingCase(
        name: "logarithmic quantization",
        op: LogarithmicQuantize(leastExponent: -5, greatestExponent: 0), inputs: [image]),
      TrainingCase(
        name: "logarithmic quantization of weights",
        op: LogarithmicQuantize(leastExponent: -9, greatestExponent: 1, countsHalves: true),
        inputs: [[16, 30]], variables: [0]),
      TrainingCase(
        name: "greatest magnitude", op: MagnitudeStep(greatestCode: 7), inputs: [[16, 30]],
        variables: [0]),
      TrainingCase(
        name: "greatest magnitudes", op: MagnitudeStep(greatestCode: 7, axis: 0),
        inputs: [[16, 3, 5]], variables: [0]),
      TrainingCase(
        name: "average of a range", op: RangeAverage(momentum: 0.9), inputs: [image, [2]],
        variables: [1]),
      TrainingCase(
        name: "grid of a range", op: RangeGrid(greatestCode: 255), inputs: [[2]], variables: [0],
        outputs: 2),
      TrainingCase(
        name: "clipped norm", op: ClipScale(limit: 1), inputs: [[300], [20]], variables: [0, 1]),
    ]
  }()

  private func build(_ test: TrainingCase, seed: UInt64) -> (TrainingStep, [String: Tensor]) {
    var oracle = Oracle(seed: seed)
    var graph = Graph()
    var feeds: [String: Tensor] = [:]
    var variables: [TrainingVariable] = []
    var values: [ValueID?] = []
    for (index, shape) in test.inputs.enumerated() {
      if let list = test.constants[index] {
        values.append(
          graph.addConstant(Tensor(list, shape: [list.count]), name: "list\(index)"))
        continue
      }
      guard let shape else {
        values.append(nil)
        continue
      }
      let tensor = oracle.reals(shape, in: test.ranges[index] ?? -2...2)
      let id = graph.addInput(name: "x\(index)", type: TensorType(.float32, shape: shape))
      values.append(id)
      feeds["x\(index)"] = tensor
      if test.variables.contains(index) {
        variables.append(
          TrainingVariable(name: "x\(index)", input: id, output: nil, initial: tensor))
      }
    }
    let names = (0..<test.outputs).map { "y\($0)" }
    for output in graph.addNode(test.op, name: "node", inputs: values, outputNames: names) {
      graph.markOutput(output)
    }
    graph.inferTypes()
    return (TrainingStep(graph: graph, variables: variables), feeds)
  }

  private func outputs(
    _ step: TrainingStep, _ feeds: [String: Tensor], threads: Int, precision: Precision
  ) throws -> (tensors: [String: Tensor], steps: [StepLabel]) {
    let program = try TrainingProgram(
      step, store: VariableStore(), options: TrainingOptions(threads: threads, precision: precision)
    )
    let names = Set(program.inputs.map(\.name))
    let given = feeds.filter { names.contains($0.key) }
    try program.run(given)
    return (try program.run(given), program.steps)
  }

  // f32: products and sums of up to 1,152 terms of magnitude 4, each rounded to 2⁻²⁴ of itself,
  // differ from double by no more than 1,152 · 2⁻²⁴ < 1e-4 of the largest result.
  // bf16: operands rounded to 2⁻⁹, results to 2⁻⁹, statistics from the rounded operands: 3 · 2⁻⁹
  // of the largest operand, times a growth of at most 3 through a normalization's factors.
  @Test(
    "A lowered operator agrees with its reference", arguments: cases,
    [Precision.fp32, .bf16])
  func agrees(test: TrainingCase, precision: Precision) throws {
    let (step, feeds) = build(test, seed: 7)
    let want = try Interpreter(step.graph).run(feeds)
    let got = try outputs(step, feeds, threads: 2, precision: precision)
    #expect(!got.steps.contains { $0.implementation == "reference" })
    let tolerance = precision == .bf16 ? 2e-2 : 1e-4
    // Where a bf16 operand crosses a kink, the derivative jumps, and where it crosses the middle
    // between two codes, the code does; such elements are left out.
    let isKinked =
      precision == .bf16
      && (test.name.contains("gradient") || test.name.contains("quantization"))
    for (expected, name) in zip(want, step.graph.outputs.map { step.graph[$0].name }) {
      let actual = try #require(got.tensors[name])
      try #require(actual.shape == expected.shape && actual.elementType == expected.elementType)
      let unit = max(expected.reals().map { abs($0) }.max() ?? 1, 1)
      let wrong = zip(expected.reals(), actual.reals())
        .filter { !(abs($0 - $1) <= tolerance * unit) }.count
      #expect(
        wrong <= (isKinked ? expected.count / 50 : 0), "\(wrong) elements of \(name), seed 7")
    }
  }

  @Test(
    "An operator gives the same bytes on one, two and three threads", arguments: cases,
    [Precision.fp32, .bf16])
  func threads(test: TrainingCase, precision: Precision) throws {
    let (step, feeds) = build(test, seed: 11)
    let one = try outputs(step, feeds, threads: 1, precision: precision).tensors
    for threads in 2...3 {
      #expect(try outputs(step, feeds, threads: threads, precision: precision).tensors == one)
    }
  }
}
