// SPDX-License-Identifier: Apache-2.0

/// The step of a symmetric grid that reaches the greatest magnitude: `max |x| / greatestCode`;
/// input x; output one step, or one per index along `axis`.
///
/// A tensor, or channel, of zeros has step 1. NaN is passed over.
public struct MagnitudeStep: Op {
  public var kind: String { "MagnitudeStep" }
  public var domain: String { "swiftlet.internal" }
  public var greatestCode: Int
  public var axis: Int?

  public init(greatestCode: Int, axis: Int? = nil) {
    self.greatestCode = greatestCode
    self.axis = axis
  }
}

/// Moves a range towards the extremes of a batch: `range · momentum + extremes · (1 − momentum)`;
/// inputs x and range `[2]`, the least and the greatest value; output the new range.
///
/// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
/// Integer-Arithmetic-Only Inference", 2018, section 3.1.
public struct RangeAverage: Op {
  public var kind: String { "RangeAverage" }
  public var domain: String { "swiftlet.internal" }
  public var momentum: Float

  public init(momentum: Float) { self.momentum = momentum }
}

/// The grid of a range, nudged so that 0 has a code: input range `[2]`; outputs the step
/// `s = (max − min) / (codes − 1)` and the offset `−s · z` with the whole number
/// `z = clamp(round(−min / s))` for codes from 0 to `greatestCode`, both scalars.
///
/// The range is widened to contain 0; an empty one gives step 1.
///
/// Source: as `RangeAverage`.
public struct RangeGrid: Op {
  public var kind: String { "RangeGrid" }
  public var domain: String { "swiftlet.internal" }
  public var greatestCode: Int

  public init(greatestCode: Int) { self.greatestCode = greatestCode }

  /// Step and whole-number zero point of a range.
  public func grid(from least: Float, to greatest: Float) -> (step: Float, zeroPoint: Float) {
    let (low, high) = (least < 0 ? least : 0, greatest > 0 ? greatest : 0)
    let step = (high - low) / Float(greatestCode)
    guard step >= FakeQuantize.leastStep, step.isFinite else { return (1, 0) }
    let zero = (-low / step).rounded(.toNearestOrEven)
    return (step, min(max(zero, 0), Float(greatestCode)))
  }
}
