// SPDX-License-Identifier: Apache-2.0
import GraphIR

/// An op that can be the root of a `Fused` step.
protocol FusionRoot: Op {
  /// The inputs that must have integer codes for the step to be one of integers.
  func codedInputs(count: Int) -> Swift.Range<Int>

  /// The axis of an input along which it may have several scales; `nil` for one scale only.
  func scaleAxis(ofInput position: Int, rank: Int) -> Int?

  /// The input that is a bias of 32-bit integers, if there is one.
  var biasInput: Int? { get }

  /// Which stages may be added while the inputs are real.
  var realStages: StageSupport { get }

  /// Whether integers are taken only if the result is quantized too.
  var needsQuantizedResult: Bool { get }

  /// Whether the first stage may add a constant vector along the last axis: a bias that the
  /// operator itself has no input for.
  var takesVectorStage: Bool { get }
}

/// The stages that a root of real inputs takes.
enum StageSupport: Sendable { case none, activations, activationsAndAdditions }

extension FusionRoot {
  func scaleAxis(ofInput position: Int, rank: Int) -> Int? { nil }
  var biasInput: Int? { nil }
  var realStages: StageSupport { .none }
  var needsQuantizedResult: Bool { false }
  var takesVectorStage: Bool { false }
}

extension Conv: FusionRoot {
  func codedInputs(count: Int) -> Swift.Range<Int> { 0..<2 }
  func scaleAxis(ofInput position: Int, rank: Int) -> Int? { position == 0 ? nil : 0 }
  var biasInput: Int? { 2 }
  var realStages: StageSupport { .activationsAndAdditions }
}

extension ConvTranspose: FusionRoot {
  func codedInputs(count: Int) -> Swift.Range<Int> { 0..<2 }
  func scaleAxis(ofInput position: Int, rank: Int) -> Int? {
    position == 0 ? nil : position == 1 ? 1 : 0
  }
  var biasInput: Int? { 2 }
  var realStages: StageSupport { .activationsAndAdditions }
}

extension Gemm: FusionRoot {
  func codedInputs(count: Int) -> Swift.Range<Int> { 0..<2 }
  func scaleAxis(ofInput position: Int, rank: Int) -> Int? {
    switch position {
    case 0: nil
    case 1: transposesB ? 0 : 1
    default: rank - 1
    }
  }
  var biasInput: Int? { 2 }
  var realStages: StageSupport { .activationsAndAdditions }
}

extension MatMul: FusionRoot {
  func codedInputs(count: Int) -> Swift.Range<Int> { 0..<2 }
  func scaleAxis(ofInput position: Int, rank: Int) -> Int? {
    position == 1 && rank >= 2 ? rank - 1 : nil
  }
  var realStages: StageSupport { .activationsAndAdditions }
  var takesVectorStage: Bool { true }
}

extension DynamicMatMul: FusionRoot {
  func codedInputs(count: Int) -> Swift.Range<Int> { 0..<0 }
  var realStages: StageSupport { .activationsAndAdditions }
  var takesVectorStage: Bool { true }
}

extension AveragePool: FusionRoot {
  func codedInputs(count: Int) -> Swift.Range<Int> { 0..<1 }
}

extension GlobalPool: FusionRoot {
  func codedInputs(count: Int) -> Swift.Range<Int> { 0..<1 }
}

extension Concat: FusionRoot {
  func codedInputs(count: Int) -> Swift.Range<Int> { 0..<count }
  var needsQuantizedResult: Bool { true }
}

extension Binary: FusionRoot {
  func codedInputs(count: Int) -> Swift.Range<Int> { 0..<2 }
  var realStages: StageSupport { isArithmetic ? .activations : .none }
  var needsQuantizedResult: Bool { !isArithmetic }

  /// Whether the function is one of those that integer kernels and fused steps are made for.
  private var isArithmetic: Bool { function == .add || function == .multiply }
}

extension Unary: FusionRoot {
  func codedInputs(count: Int) -> Swift.Range<Int> { 0..<1 }
  var needsQuantizedResult: Bool { true }
}

extension Clip: FusionRoot {
  func codedInputs(count: Int) -> Swift.Range<Int> { 0..<1 }
  var needsQuantizedResult: Bool { true }
}

extension BatchNormalization: FusionRoot {
  func codedInputs(count: Int) -> Swift.Range<Int> { 0..<1 }
  var realStages: StageSupport { trainingMode ? .none : .activations }
  var needsQuantizedResult: Bool { true }
}

extension Unary.Function {
  /// Whether the function is an activation that a fused step applies to its result.
  var isActivationStage: Bool {
    switch self {
    case .relu, .leakyRelu, .elu, .gelu, .hardSigmoid, .hardSwish, .mish, .sigmoid, .swish, .tanh:
      true
    default: false
    }
  }
}
