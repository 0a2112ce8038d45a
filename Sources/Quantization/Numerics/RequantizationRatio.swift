// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Scales under which no integer sum lies near the middle between two codes of the result.
///
/// A sum becomes a code by its product with `input scale · weight scale / output scale`. Runtimes
/// compute that in single precision, each in an order of its own, so products within some 5e-5 of
/// a middle get one code here and another there, and a layer on thousands of codes differ. Where
/// the ratio is `2^k / q` with an odd `q`, products are multiples of `1 / q`: none is closer to a
/// middle than `1 / (2q)`, and the order of roundings decides no code.
package enum RequantizationRatio {
  /// Least `q`, and what the growth of a scale is kept below: two parts of it.
  private static let least = 512.0

  /// The least such weight scale that is not smaller than a given one.
  ///
  /// It is at most 0.4 % greater. Ratios below 1 / 10,000 come closer to a middle than 5e-5.
  package static func weightScale(atLeast scale: Float, input: Float, output: Float) -> Float {
    let unit = Double(input) / Double(output)
    let inverse = 1 / (Double(scale) * unit)
    guard inverse.isFinite, inverse > 0, inverse < 0x1p52 else { return scale }
    let power = inverse >= least ? 1 : exp2((log2(least / inverse)).rounded(.up))
    let whole = (inverse * power).rounded(.down)
    let odd = whole.truncatingRemainder(dividingBy: 2) == 0 ? whole - 1 : whole
    let grown = Float(power / odd / unit)
    return grown.isFinite ? max(grown, scale) : scale
  }
}
