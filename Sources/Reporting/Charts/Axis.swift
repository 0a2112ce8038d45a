// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A scale with ticks at round values.
///
/// Source: Heckbert, "Nice Numbers for Graph Labels", Graphics Gems, 1990; here the ticks are
/// also available inside a fixed range, and a decade scale is added.
package struct Axis: Sendable, Equatable {
  package let lower: Double
  package let upper: Double
  package let isLogarithmic: Bool
  /// Values of the ticks, ascending, inside `lower...upper`.
  package let ticks: [Double]
  private let decimals: Int

  /// A scale for values from `lower` to `upper`.
  ///
  /// - Parameters:
  ///   - lower: The smallest value; if not finite or not below `upper`, a unit range is taken.
  ///   - upper: The largest value.
  ///   - count: How many ticks are wanted; the result has about as many.
  ///   - isLoose: Whether the ends of a linear scale are moved outwards to ticks.
  ///   - isLogarithmic: Whether equal factors take equal lengths. Needs positive values; ticks
  ///     then stand at 1, 2 and 5 times powers of ten, or at powers of ten only.
  package init(
    from lower: Double, to upper: Double, count: Int = 5, isLoose: Bool = true,
    isLogarithmic: Bool = false
  ) {
    let (low, high) = Self.checked(lower, upper)
    guard !isLogarithmic || low <= 0 else {
      let decades = Self.decades(low, high, count: count)
      self.lower = low
      self.upper = high
      self.isLogarithmic = true
      ticks = decades.filter { $0 >= low * 0.999999 && $0 <= high * 1.000001 }
      decimals = 0
      return
    }
    let step = Self.nice((high - low) / Double(max(1, count - 1)))
    let first = isLoose ? (low / step).rounded(.down) : (low / step - 1e-9).rounded(.up)
    let last = isLoose ? (high / step).rounded(.up) : (high / step + 1e-9).rounded(.down)
    self.lower = isLoose ? first * step : low
    self.upper = isLoose ? last * step : high
    self.isLogarithmic = false
    // A tick is a whole number of steps, so no rounding error adds up.
    ticks = first <= last ? stride(from: first, through: last, by: 1).map { $0 * step } : []
    decimals = max(0, -Int(log10(step).rounded(.down)))
  }

  /// Where `value` stands: 0 at `lower`, 1 at `upper`; outside values lie outside.
  package func position(_ value: Double) -> Double {
    isLogarithmic
      ? (log(max(value, .leastNormalMagnitude)) - log(lower)) / (log(upper) - log(lower))
      : (value - lower) / (upper - lower)
  }

  /// The words at a tick; each tick of a linear axis has the same number of decimals.
  package func label(_ tick: Double) -> String {
    if isLogarithmic { return Self.compact(tick) }
    return max(abs(lower), abs(upper)) >= 1e5
      ? Self.compact(tick) : Format.fixed(tick, decimals: decimals)
  }

  /// 1-2-5 steps.
  static func nice(_ value: Double) -> Double {
    let power = pow(10, log10(value).rounded(.down))
    switch value / power {
    case ..<1.5: return power
    case ..<3.5: return 2 * power
    case ..<7.5: return 5 * power
    default: return 10 * power
    }
  }

  private static func checked(_ lower: Double, _ upper: Double) -> (Double, Double) {
    guard lower.isFinite, upper.isFinite, (upper - lower).isFinite else { return (0, 1) }
    guard upper - lower > max(abs(lower), abs(upper)) * 1e-9, upper - lower > 1e-300 else {
      return lower == 0 ? (0, 1) : (lower - abs(lower) / 2, lower + abs(lower) / 2)
    }
    return (lower, upper)
  }

  private static func decades(_ low: Double, _ high: Double, count: Int) -> [Double] {
    let first = Int(log10(low).rounded(.down))
    let last = Int(log10(high).rounded(.up))
    let stepped = max(1, (last - first) / max(1, count))
    let factors: [Double] = (last - first) * 2 > count ? [1] : [1, 2, 5]
    return stride(from: first, through: last, by: stepped).flatMap { exponent in
      factors.map { $0 * pow(10, Double(exponent)) }
    }
  }

  private static func compact(_ value: Double) -> String {
    switch abs(value) {
    case 0: "0"
    case ..<1e4: Format.trimmed(value)
    case ..<1e6: Format.trimmed(value / 1e3) + " k"
    case ..<1e9: Format.trimmed(value / 1e6) + " M"
    default: Format.trimmed(value / 1e9) + " G"
    }
  }
}

extension Format {
  /// Significant digits without trailing zeros: 0.5, 12, 1.25.
  static func trimmed(_ value: Double, digits: Int = 3) -> String {
    var text = significant(value, digits: digits)
    guard text.contains(".") else { return text }
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text
  }
}
