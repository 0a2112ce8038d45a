// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// How integer codes stand for real numbers: `real = (code − zeroPoint) · scale`.
public struct LinearCode: Sendable, Equatable {
  public var elementType: ElementType

  /// One scale, or one per index along `axis`, in real units per step.
  public var scales: [Float]

  /// As many as `scales`.
  public var zeroPoints: [Int32]

  /// The axis that the scales run along; `nil` for one scale.
  public var axis: Int?

  public init(elementType: ElementType, scales: [Float], zeroPoints: [Int32], axis: Int? = nil) {
    self.elementType = elementType
    self.scales = scales
    self.zeroPoints = zeroPoints
    self.axis = axis
  }

  /// Whether every zero point is 0.
  public var isSymmetric: Bool { zeroPoints.allSatisfy { $0 == 0 } }
}

/// An operator together with the work around it, run as one step.
///
/// The inputs of `root` come first, then one input for each `add` stage. Inputs with a code are
/// dequantized, `root` is applied, then the stages in order, and the result is quantized if
/// there is an output code.
public struct Fused: Op {
  public enum Stage: Sendable, Equatable {
    case activation(Unary.Function)
    case clip(lower: Float, upper: Float)
    /// Adds the next extra input, dequantized if it has a code: of the shape of the result, or, as
    /// the first stage of a matrix product, a constant vector along the last axis.
    case add(LinearCode?)
    /// Rounds to the nearest code of the range and back to reals.
    case recode(LinearCode)
  }

  public var kind: String { "Fused" + root.kind }
  public var domain: String { "swiftlet.internal" }
  public var root: any Op
  public var rootInputCount: Int

  /// One per input of `root`; `nil` for an input that is real already.
  public var inputCodes: [LinearCode?]
  public var stages: [Stage]
  public var outputCode: LinearCode?

  public init(
    root: any Op, rootInputCount: Int, inputCodes: [LinearCode?]? = nil, stages: [Stage] = [],
    outputCode: LinearCode? = nil
  ) {
    self.root = root
    self.rootInputCount = rootInputCount
    self.inputCodes = inputCodes ?? Array(repeating: nil, count: rootInputCount)
    self.stages = stages
    self.outputCode = outputCode
  }

  public static func == (left: Fused, right: Fused) -> Bool {
    left.root.isEqual(to: right.root) && left.rootInputCount == right.rootInputCount
      && left.inputCodes == right.inputCodes && left.stages == right.stages
      && left.outputCode == right.outputCode
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    guard operands.count >= rootInputCount, outputCount == 1 else {
      throw .wrongInputCount(
        found: operands.count, expected: rootInputCount...(rootInputCount + stages.count))
    }
    let real = zip(operands.prefix(rootInputCount), inputCodes).map { operand, code -> Operand? in
      guard code != nil, let operand else { return operand }
      return Operand(type: operand.type.map { TensorType(.float32, $0.dimensions) })
    }
    var types = try root.inferTypes(real, outputCount: 1)
    if let outputCode, let type = types[0] {
      types[0] = TensorType(outputCode.elementType, type.dimensions)
    }
    return types
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    guard inputs.count >= rootInputCount else {
      throw .wrongInputCount(found: inputs.count, expected: rootInputCount...rootInputCount)
    }
    var rootInputs: [Tensor?] = []
    for (input, code) in zip(inputs.prefix(rootInputCount), inputCodes) {
      rootInputs.append(try Fused.real(input, code))
    }
    guard var result = try root.evaluate(rootInputs, outputCount: 1).first else {
      throw .notEvaluable(kind: kind)
    }
    var extras = inputs.dropFirst(rootInputCount)
    for stage in stages {
      switch stage {
      case .activation(let function):
        result = try Fused.only(Unary(function).evaluate([result], outputCount: 1))
      case .clip(let lower, let upper):
        let bounds = [Tensor(scalar: lower), Tensor(scalar: upper)]
          .map { $0.converted(to: result.elementType) }
        result = try Fused.only(Clip().evaluate([result, bounds[0], bounds[1]], outputCount: 1))
      case .add(let code):
        guard let extra = try Fused.real(extras.popFirst() ?? nil, code) else {
          throw .missingInput(name: "addend")
        }
        result = try Fused.only(Binary(.add).evaluate([result, extra], outputCount: 1))
      case .recode(let code):
        let (scale, zeroPoint) = Fused.parameters(code)
        let codes = try QuantizeLinear(axis: code.axis ?? 0)
          .evaluate([result, scale, zeroPoint], outputCount: 1)
        guard let real = try Fused.real(codes.first, code) else { throw .notEvaluable(kind: kind) }
        result = real
      }
    }
    guard let outputCode else { return [result] }
    let (scale, zeroPoint) = Fused.parameters(outputCode)
    let quantize = QuantizeLinear(axis: outputCode.axis ?? 0)
    return try quantize.evaluate([result, scale, zeroPoint], outputCount: 1)
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    root.cost(inputs: Array(inputs.prefix(rootInputCount)), outputs: outputs)
  }

  private static func only(_ tensors: [Tensor]) throws(OpError) -> Tensor {
    guard let first = tensors.first else { throw .notEvaluable(kind: "Fused") }
    return first
  }

  private static func real(_ input: Tensor?, _ code: LinearCode?) throws(OpError) -> Tensor? {
    guard let code, let input else { return input }
    let (scale, zeroPoint) = parameters(code)
    let dequantize = DequantizeLinear(axis: code.axis ?? 0)
    return try only(dequantize.evaluate([input, scale, zeroPoint], outputCount: 1))
  }

  private static func parameters(_ code: LinearCode) -> (scale: Tensor, zeroPoint: Tensor) {
    let shape = code.axis == nil ? [] : [code.scales.count]
    return (
      Tensor(code.scales, shape: shape),
      Tensor(
        integers: code.zeroPoints.map { Int64($0) }, shape: shape, elementType: code.elementType)
    )
  }
}
