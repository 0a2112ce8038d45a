// SPDX-License-Identifier: Apache-2.0

/// Builds the elementwise steps behind a product while keeping track of the scale in which the
/// running value is held: real = (value − zero point) · unit.
struct StagePlan {
  var steps: [ProductStages.Step] = []

  /// The unit that the product itself is computed in, once it is decided.
  private(set) var firstUnit: Float?
  private(set) var biasOffset: Float = 0

  /// Unit and zero point of the running value.
  private(set) var unit: Float = 1
  private var zeroPoint: Int32 = 0

  /// Steps in reals that wait for the first unit.
  private var waiting: [Eltwise] = []

  /// Applies a function of reals.
  mutating func append(_ step: Eltwise) {
    guard firstUnit != nil else {
      waiting.append(step)
      return
    }
    shiftToZero()
    if unit != 1, let rescaled = step.rescaled(by: unit) {
      steps.append(.eltwise(rescaled))
    } else {
      changeUnit(to: 1)
      steps.append(.eltwise(step))
    }
  }

  /// Adds another operand, in units of `preferred` if that costs nothing.
  mutating func appendSum(in preferred: Float) {
    if firstUnit == nil { decide(preferred) } else { changeUnit(to: preferred) }
    shiftToZero()
    steps.append(.sum)
  }

  /// Brings the running value into codes of the given scale and zero point, not yet rounded.
  mutating func enter(scale: Float, zeroPoint target: Int32) {
    if firstUnit == nil {
      decide(scale)
      if steps.isEmpty, unit == scale {
        biasOffset = Float(target)
        zeroPoint = target
        return
      }
    }
    guard unit != scale || zeroPoint != target else { return }
    let factor = unit / scale
    steps.append(.eltwise(.linear(factor, Float(target) - Float(zeroPoint) * factor)))
    unit = scale
    zeroPoint = target
  }

  /// Fixes the product's unit: the preferred one if all waiting steps can be done in it.
  private mutating func decide(_ preferred: Float) {
    let rescaled = waiting.compactMap { $0.rescaled(by: preferred) }
    let fits = rescaled.count == waiting.count
    unit = fits ? preferred : 1
    firstUnit = unit
    steps += (fits ? rescaled : waiting).map { .eltwise($0) }
    waiting = []
  }

  private mutating func changeUnit(to target: Float) {
    guard unit != target else { return }
    let factor = unit / target
    steps.append(.eltwise(.linear(factor, -Float(zeroPoint) * factor)))
    unit = target
    zeroPoint = 0
  }

  private mutating func shiftToZero() {
    guard zeroPoint != 0 else { return }
    steps.append(.eltwise(.linear(1, -Float(zeroPoint))))
    zeroPoint = 0
  }
}
