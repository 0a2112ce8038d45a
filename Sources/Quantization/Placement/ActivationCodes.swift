// SPDX-License-Identifier: Apache-2.0
package import GraphIR
package import TensorCore

/// The integer code of each quantized activation.
package struct ActivationCodes: Sendable, Equatable {
  /// The type that stores the codes.
  package var elementType: ElementType
  package var codes: [ValueID: AffineCode]

  package init(elementType: ElementType, codes: [ValueID: AffineCode]) {
    self.elementType = elementType
    self.codes = codes
  }
}

extension ActivationCodes {
  /// The code of a real range under options.
  static func code(
    from minimum: Double, to maximum: Double, options: QuantizationOptions
  ) -> AffineCode {
    let all = ClosedRange<Int32>(allOf: options.activationType)
    guard options.symmetricActivations else {
      return .affine(from: minimum, to: maximum, codes: all)
    }
    let magnitude = max(abs(minimum), abs(maximum))
    if options.activationType.isSignedInteger {
      return .symmetric(
        magnitude: magnitude, codes: ClosedRange<Int32>(symmetricOf: options.activationType))
    }
    // Values that are never negative lose nothing by using all codes.
    if minimum >= 0 { return .affine(from: 0, to: magnitude, codes: all) }
    let middle = (all.upperBound + 1) / 2
    let scale = AffineCode.symmetric(magnitude: magnitude, codes: -middle...(middle - 1)).scale
    return AffineCode(scale: scale, zeroPoint: middle, codes: all)
  }
}
