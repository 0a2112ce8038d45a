// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Rounds magnitudes to powers of 2, or of √2.
///
/// Input x; output `y = sign(x) · base^k` with k the whole number next
/// to the logarithm of `|x|`. Gradients pass as they are (straight-through).
///
/// A k below `leastExponent` gives 0, one beyond `greatestExponent` counts as that. A logarithm
/// half-way between two whole numbers is rounded up. NaN and subnormal numbers become 0.
///
/// Source: Miyashita, Lee, Murmann, "Convolutional Neural Networks using Logarithmic Data
/// Representation", 2016, section 3.1; rounding is that of the logarithm.
public struct LogarithmicQuantize: Op {
  public var kind: String { "LogarithmicQuantize" }
  public var domain: String { "swiftlet.internal" }

  /// −120 or more.
  public var leastExponent: Int
  /// 120 or less.
  public var greatestExponent: Int

  /// Whether the base is √2 and exponents count halves.
  public var countsHalves: Bool

  public init(leastExponent: Int, greatestExponent: Int, countsHalves: Bool = false) {
    self.leastExponent = leastExponent
    self.greatestExponent = greatestExponent
    self.countsHalves = countsHalves
  }

  /// The magnitude of an exponent.
  public func magnitude(_ exponent: Int) -> Float {
    guard countsHalves else { return Float(sign: .plus, exponent: exponent, significand: 1) }
    let whole = exponent >= 0 ? exponent / 2 : -((1 - exponent) / 2)
    let power = Float(sign: .plus, exponent: whole, significand: 1)
    return exponent == 2 * whole ? power : power * Self.root2
  }

  /// The exponent of a value's code; `nil` for 0.
  public func exponent(of x: Float) -> Int? {
    let magnitude = abs(x)
    guard magnitude >= .leastNormalMagnitude else { return nil }
    guard magnitude.isFinite else { return greatestExponent }
    let (exponent, mantissa) = (Int(magnitude.exponent), magnitude.significand)
    let k =
      countsHalves
      ? 2 * exponent + (mantissa >= Self.root4 ? 1 : 0) + (mantissa >= Self.root4Cubed ? 1 : 0)
      : exponent + (mantissa >= Self.root2 ? 1 : 0)
    return k < leastExponent ? nil : min(k, greatestExponent)
  }

  /// 2^(1/2), 2^(1/4) and 2^(3/4).
  private static let root2: Float = 1.4142135623730950488
  private static let root4: Float = 1.1892071150027210667
  private static let root4Cubed: Float = 1.6817928305074290861

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "x").type
    try ElementTypeRule.floating.check(x, "x")
    guard (-120...120).contains(leastExponent), (leastExponent...120).contains(greatestExponent)
    else {
      throw .invalidAttribute(
        name: "exponents", found: "\(leastExponent) and \(greatestExponent)",
        expected: "a rising pair of −120…120")
    }
    return [x]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    let x = try inputs.required(0, "x")
    let values = x.floats().map { value in
      exponent(of: value).map { value < 0 ? -magnitude($0) : magnitude($0) } ?? 0
    }
    return [Tensor(values, shape: x.shape).converted(to: results[0].elementType)]
  }
}
