// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// A fused step whose inputs are codes, in integers only.
///
/// Multipliers, limits and tables are made when the network is prepared.
struct IntegerOnlyStep: Op {
  /// What follows the root, in order.
  enum Action: Equatable {
    /// To codes of 8 bits, kept without their zero point if more follows.
    case requantize(Requantization)
    /// Twenty bits are put behind the point of both operands, which are then scaled and added.
    case add(own: FixedPointMultiplier, other: FixedPointMultiplier, otherZeroPoint: Int32)
    /// A table from codes to codes.
    case table([Int32])
    /// The end of the integers: scales per channel and limits.
    case dequantize(scales: [Double], limits: RealLimits)
  }

  let fused: Fused
  private(set) var actions: [Action] = []

  var kind: String { "IntegerOnly\(fused.root.kind)" }
  var domain: String { fused.domain }

  /// Bits behind the point while codes are added.
  static let additionBits: Int32 = 20

  /// - Throws: `QuantizationError.notIntegerOnly` naming `node`.
  init(_ fused: Fused, inputTypes: [TensorType?], node: String) throws(QuantizationError) {
    self.fused = fused
    func unsupported(_ reason: String) -> QuantizationError {
      .notIntegerOnly(node: node, reason: reason)
    }
    if let table = IntegerOnlyStep.table(of: fused) {
      actions = [.table(table)]
      return
    }
    let shapes = inputTypes.map { $0?.shape }
    guard var scales = try IntegerRoot.scales(of: fused, shapes: shapes, unsupported) else {
      throw unsupported("\(fused.root.kind) has no integer form here")
    }
    var limits = RealLimits()
    var isCode = fused.root is Binary || fused.root is Clip
    var stages = fused.stages
    if fused.root is Binary { stages.insert(.add(fused.inputCodes[1]), at: 0) }
    for stage in stages {
      switch stage {
      case .activation(.relu): limits.raise(to: 0)
      case .activation(let function):
        throw unsupported("\(function) stands between 32-bit sums and codes")
      case .clip(let lower, let upper):
        limits.raise(to: Double(lower))
        limits.lower(to: Double(upper))
      case .recode(let code):
        actions.append(.requantize(limits.requantization(from: scales, to: code)))
        scales = [Double(code.scales[0])]
        (limits, isCode) = (RealLimits(), true)
      case .add(let code):
        guard let code, isCode, limits == RealLimits() else {
          throw unsupported("an addition has an operand without codes")
        }
        let other = Double(code.scales[0])
        let common = 2 * max(scales[0], other)
        actions.append(
          .add(
            own: FixedPointMultiplier(scales[0] / common),
            other: FixedPointMultiplier(other / common), otherZeroPoint: code.zeroPoints[0]))
        scales = [common / Double(1 << IntegerOnlyStep.additionBits)]
        isCode = false
      }
    }
    if let code = fused.outputCode {
      actions.append(.requantize(limits.requantization(from: scales, to: code)))
    } else {
      actions.append(.dequantize(scales: scales, limits: limits))
    }
  }

  func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try fused.inferTypes(operands, outputCount: outputCount)
  }

  func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    guard let first = inputs.first ?? nil else { throw .missingInput(name: "codes") }
    if case .table(let table)? = actions.first {
      let codes = first.codes
      let least = Int32(first.elementType == .int8 ? -128 : 0)
      return [result(codes.map { table[Int($0 - least)] }, first.shape)]
    }
    var (values, shape) = try IntegerRoot.sums(of: fused, inputs)
    let axis = fused.root is MatMul || fused.root is Gemm ? shape.count - 1 : 1
    let inner = axis < shape.count ? shape[(axis + 1)...].reduce(1, *) : 1
    let channels = axis < shape.count ? max(shape[axis], 1) : 1
    var extras = inputs.dropFirst(fused.root is Binary ? 1 : fused.rootInputCount)
    for (position, action) in actions.enumerated() {
      switch action {
      case .requantize(let output):
        let isLast = position == actions.count - 1
        let zeroPoint = isLast ? 0 : output.zeroPoint
        for index in values.indices {
          values[index] =
            output.code(of: values[index], channel: index / inner % channels) - zeroPoint
        }
        if isLast { return [result(values, shape)] }
      case .add(let own, let other, let zeroPoint):
        guard let extra = extras.popFirst() ?? nil, extra.shape == shape else {
          throw .notEvaluable(kind: kind)
        }
        let bits = IntegerOnlyStep.additionBits
        for (index, code) in extra.codes.enumerated() {
          values[index] =
            own.applied(to: values[index] << bits) + other.applied(to: (code - zeroPoint) << bits)
        }
      case .dequantize(let scales, let limits):
        let reals = values.indices.map { index -> Float in
          let channel = index / inner % channels
          return Float(
            limits.clamped(Double(values[index]) * scales[scales.count == 1 ? 0 : channel]))
        }
        return [Tensor(reals, shape: shape)]
      case .table: throw .notEvaluable(kind: kind)
      }
    }
    throw .notEvaluable(kind: kind)
  }

  private func result(_ codes: [Int32], _ shape: [Int]) -> Tensor {
    Tensor(
      integers: codes.map(Int64.init), shape: shape,
      elementType: fused.outputCode?.elementType ?? .uint8)
  }

  /// The result for each code, where one code in gives one code out; the meaning of the step tells.
  private static func table(of fused: Fused) -> [Int32]? {
    guard fused.root is Unary, fused.rootInputCount == 1, let code = fused.inputCodes[0],
      code.isByteWithOneScale, fused.outputCode?.isByteWithOneScale == true,
      !fused.stages.contains(where: { if case .add = $0 { true } else { false } })
    else { return nil }
    let least: Int64 = code.elementType == .int8 ? -128 : 0
    let all = Tensor(
      integers: (0..<256).map { least + $0 }, shape: [256], elementType: code.elementType)
    return try? fused.evaluate([all], outputCount: 1).first?.codes
  }
}

/// Limits on real values that an activation sets.
struct RealLimits: Equatable {
  private var least = -Double.infinity
  private var greatest = Double.infinity

  mutating func raise(to bound: Double) {
    least = max(least, bound)
    greatest = max(greatest, bound)
  }

  mutating func lower(to bound: Double) {
    greatest = min(greatest, bound)
    least = min(least, bound)
  }

  func clamped(_ value: Double) -> Double { min(max(value, least), greatest) }

  /// From sums of the given scales to codes within the limits.
  func requantization(from scales: [Double], to code: LinearCode) -> Requantization {
    let (scale, zeroPoint) = (Double(code.scales[0]), code.zeroPoints[0])
    let all: ClosedRange<Int32> = code.elementType == .int8 ? -128...127 : 0...255
    func limit(_ real: Double) -> Int32 {
      let steps = (real / scale).rounded(.toNearestOrEven) + Double(zeroPoint)
      return Int32(min(max(steps, Double(all.lowerBound)), Double(all.upperBound)))
    }
    return Requantization(
      multipliers: scales.map { FixedPointMultiplier($0 / scale) }, zeroPoint: zeroPoint,
      codes: limit(least)...limit(greatest))
  }
}

extension LinearCode {
  /// Whether codes have 8 bits and one scale.
  fileprivate var isByteWithOneScale: Bool {
    (elementType == .uint8 || elementType == .int8) && scales.count == 1
  }
}

extension Tensor {
  /// The elements of an integer tensor.
  var codes: [Int32] { integers().map { Int32(truncatingIfNeeded: $0) } }
}
