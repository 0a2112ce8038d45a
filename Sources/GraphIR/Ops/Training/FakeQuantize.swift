// SPDX-License-Identifier: Apache-2.0

/// Rounds reals to a grid and gives them back as reals: `y = s · q + β` with
/// `q = clamp(round((x − β) / s), codes)`, ties to even; inputs x, the step s, and optionally the
/// offset β; output y.
///
/// Step and offset are one number for all, or one per index along `axis`; x is divided by the step
/// in float32, as `QuantizeLinear` does. Steps below `leastStep` count as that. NaN becomes the
/// least code.
///
/// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
/// Integer-Arithmetic-Only Inference", 2018, section 3. How gradients go through it is said by
/// `stepGradient` and `includesEnds`, see `FakeQuantizeGradient`.
public struct FakeQuantize: Op {
  public var kind: String { "FakeQuantize" }
  public var domain: String { "swiftlet.internal" }

  /// What the step gets of the gradient `d` of an element with `u = (x − β) / s`.
  public enum StepGradient: String, Sendable, Hashable, CaseIterable {
    /// Nothing.
    case none
    /// `d · (round(u) − u)` within the codes, `d · q` beyond.
    ///
    /// Source: Esser et al., "Learned Step Size Quantization", 2020, Eq. 3.
    case learned
    /// Nothing within the codes, `d · q` beyond.
    ///
    /// Source: Choi et al., "PACT: Parameterized Clipping Activation for Quantized Neural
    /// Networks", 2018, Eq. 3, for the step in place of the clipping level.
    case clipping
  }

  public var codes: ClosedRange<Int>

  /// The axis of channels that steps run along; `nil` for one step.
  public var axis: Int?
  public var stepGradient: StepGradient

  /// Whether elements at the very ends of the range count as within it.
  public var includesEnds: Bool

  /// Factor on the gradients of step and offset.
  public var gradientScale: Float

  /// The least step; a smaller one, a negative one or NaN is taken as this.
  public static let leastStep: Float = 1e-6

  /// The step that a number stands for.
  public static func usableStep(_ step: Float) -> Float { step > leastStep ? step : leastStep }

  public init(
    codes: ClosedRange<Int>, axis: Int? = nil, stepGradient: StepGradient = .none,
    includesEnds: Bool = false, gradientScale: Float = 1
  ) {
    self.codes = codes
    self.axis = axis
    self.stepGradient = stepGradient
    self.includesEnds = includesEnds
    self.gradientScale = gradientScale
  }
}

/// The gradients of `FakeQuantize`; inputs dY, x, s and optionally β; outputs dX and, where they
/// are asked for, the gradients of s and β.
///
/// With `u = (x − β) / s`, dX is dY where u lies between the least and the greatest code, the ends
/// left out unless `includesEnds`, else 0 (straight-through). The gradient of β is the sum of dY
/// over the elements beyond, that of s as `StepGradient` says; both times `gradientScale`.
public struct FakeQuantizeGradient: Op {
  public var kind: String { "FakeQuantizeGradient" }
  public var domain: String { "swiftlet.internal" }
  public var quantization: FakeQuantize

  public init(of quantization: FakeQuantize) { self.quantization = quantization }
}
