// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// A window of cosines for spectra, as long as the input says.
public struct SignalWindow: CompositeOp {
  public enum Form: String, Sendable {
    case hann = "HannWindow", hamming = "HammingWindow", blackman = "BlackmanWindow"

    /// The coefficients of the cosines of 0, 1, … turns, with alternating signs.
    fileprivate var coefficients: [Double] {
      switch self {
      case .hann: [0.5, 0.5]
      case .hamming: [25.0 / 46, 21.0 / 46]
      case .blackman: [0.42, 0.5, 0.08]
      }
    }
  }

  public var kind: String { form.rawValue }
  public var form: Form
  /// Whether the window repeats after its length rather than one element before.
  public var isPeriodic: Bool
  public var elementType: ElementType

  public init(_ form: Form, isPeriodic: Bool = true, elementType: ElementType = .float32) {
    self.form = form
    self.isPeriodic = isPeriodic
    self.elementType = elementType
  }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let size = try body.cast(inputs.required(0, "size"), to: .int64)
    var period = try body.cast(size, to: .float32)
    if !isPeriodic { period = try body.binary(.subtract, period, body.scalar(1, .float32)) }
    let steps = try body.cast(body.range(size), to: .float32)
    let turn = try body.binary(.divide, steps, period)
    var sum = body.scalar(form.coefficients[0], .float32)
    for (turns, coefficient) in form.coefficients.enumerated().dropFirst() {
      let angle = try body.binary(
        .multiply, turn, body.scalar(2 * Double.pi * Double(turns), .float32))
      let term = try body.binary(
        .multiply, body.unary(.cos, angle), body.scalar(coefficient, .float32))
      sum = try body.binary(turns % 2 == 1 ? .subtract : .add, sum, term)
    }
    return [try body.cast(sum, to: elementType)]
  }
}
