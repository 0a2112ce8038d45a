// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How figures are written for people: unit in the row, three significant digits.
///
/// The same in every locale, with a point for decimals, a comma between thousands and a true minus
/// sign. Values that are not finite are written `–`.
package enum Format {
  /// Stands for a figure that has no value.
  package static let missing = "–"

  /// `value` with a fixed number of decimals.
  package static func fixed(_ value: Double, decimals: Int) -> String {
    guard value.isFinite else { return missing }
    let text = String(format: "%.\(max(0, decimals))f", abs(value))
    let isZero = !text.contains { $0 != "0" && $0 != "." }
    return value < 0 && !isZero ? "−" + text : text
  }

  /// `value` with `digits` significant digits, never in powers of ten: 1.85, 19.1, 1240.
  package static func significant(_ value: Double, digits: Int = 3) -> String {
    guard value.isFinite else { return missing }
    guard value != 0 else { return "0" }
    let mantissa = String(format: "%.\(max(0, digits - 1))e", abs(value))
    let exponent = mantissa.split(separator: "e").last.flatMap { Int($0) } ?? 0
    return fixed(value, decimals: max(0, digits - 1 - exponent))
  }

  /// Whole numbers with a comma between thousands: 10,000.
  package static func integer(_ value: Int) -> String {
    let digits = Array(String(value.magnitude))
    var text = value < 0 ? "−" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// Bytes in decimal units: 812 B, 45.2 kB, 0.31 MB, 1.11 MB, 2.50 GB.
  package static func bytes(_ count: Int) -> String {
    let value = Double(count)
    switch value.magnitude {
    case ..<1e3: return integer(count) + " B"
    case ..<1e5: return scaled(value, 1e3) + " kB"
    case ..<1e9: return scaled(value, 1e6) + " MB"
    default: return scaled(value, 1e9) + " GB"
    }
  }

  /// Parameters, multiply-accumulates and the like: 9,408, 0.27 M, 40.6 M, 4.09 G.
  package static func count(_ count: Int) -> String {
    let value = Double(count)
    switch value.magnitude {
    case ..<1e5: return integer(count)
    case ..<1e9: return scaled(value, 1e6) + " M"
    case ..<1e12: return scaled(value, 1e9) + " G"
    default: return scaled(value, 1e12) + " T"
    }
  }

  /// Milliseconds: 0.412 ms, 1.85 ms, 19.1 ms.
  package static func milliseconds(_ value: Double) -> String {
    value.isFinite ? significant(value) + " ms" : missing
  }

  /// A fraction of one as a percentage with fixed decimals: 92.60 %.
  package static func percent(_ fraction: Double, decimals: Int = 2) -> String {
    fraction.isFinite ? fixed(fraction * 100, decimals: decimals) + " %" : missing
  }

  /// A share of a whole in three significant digits: 100 %, 99.2 %, 5.12 %.
  ///
  /// A share below one that would round up to all is written `>99.9 %`.
  package static func share(_ fraction: Double) -> String {
    guard fraction.isFinite else { return missing }
    let text = significant(fraction * 100) + " %"
    return fraction < 1 && text == "100 %" ? ">99.9 %" : text
  }

  /// A change of a fraction in points of a percentage, with its sign: −0.12, +0.04, 0.00.
  package static func points(_ difference: Double, decimals: Int = 2) -> String {
    let text = fixed(difference * 100, decimals: decimals)
    let isZero = !text.contains { $0.isNumber && $0 != "0" }
    return difference > 0 && !isZero ? "+" + text : text
  }

  /// Decibels: 31 dB, 8.4 dB; `exact` where nothing differs (infinite).
  package static func decibels(_ value: Double) -> String {
    if value == .infinity { return "exact" }
    guard value.isFinite else { return missing }
    return fixed(value, decimals: value.magnitude < 9.95 ? 1 : 0) + " dB"
  }

  /// A ratio in words: `3.6× smaller`, `1.03× slower`, or `same`.
  ///
  /// - Parameters:
  ///   - before: The first figure, positive.
  ///   - after: The second figure, positive.
  ///   - less: The word for `after < before`.
  ///   - more: The word for `after > before`.
  package static func ratio(
    before: Double, after: Double, less: String, more: String
  ) -> String {
    guard before > 0, after > 0, before.isFinite, after.isFinite else { return missing }
    let factor = max(before / after, after / before)
    let word = after < before ? less : more
    switch factor {
    case ..<1.005: return "same"
    case ..<1.05: return fixed(factor, decimals: 2) + "× " + word
    case ..<9.95: return fixed(factor, decimals: 1) + "× " + word
    default: return fixed(factor, decimals: 0) + "× " + word
    }
  }

  /// The spread of a measurement as a fraction of it: ±3 %, ±0.4 %.
  package static func spread(_ fraction: Double) -> String {
    guard fraction.isFinite else { return missing }
    let percent = abs(fraction) * 100
    return "±" + fixed(percent, decimals: percent < 0.95 && percent >= 0.05 ? 1 : 0) + " %"
  }

  /// A length of time: 0.4 s, 9 s, 1 min 20 s, 2 h 5 min.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite else { return missing }
    let time = max(0, seconds)
    if time < 0.95 { return time < 0.05 ? "0 s" : fixed(time, decimals: 1) + " s" }
    guard time < 1e12 else { return missing }
    let whole = Int(time.rounded())
    switch whole {
    case ..<60: return "\(whole) s"
    case ..<3600:
      return "\(whole / 60) min" + (whole % 60 == 0 ? "" : " \(whole % 60) s")
    default:
      let minutes = (whole + 30) / 60
      return "\(minutes / 60) h" + (minutes % 60 == 0 ? "" : " \(minutes % 60) min")
    }
  }

  /// Items per second: 0.41 images/s, 4.1 images/s, 41 images/s, 1,240 images/s.
  package static func rate(_ perSecond: Double, unit: String) -> String {
    guard perSecond.isFinite, perSecond < 1e12 else { return missing }
    let figure =
      perSecond < 9.95 ? significant(perSecond, digits: 2) : integer(Int(perSecond.rounded()))
    return "\(figure) \(unit)/s"
  }

  /// Below the unit two decimals (0.31 MB), from it on three significant digits (1.11 MB).
  private static func scaled(_ value: Double, _ unit: Double) -> String {
    let figure = value / unit
    return figure.magnitude < 0.995 ? fixed(figure, decimals: 2) : significant(figure)
  }
}
