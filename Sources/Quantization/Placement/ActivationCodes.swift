// SPDX-License-Identifier: Apache-2.0
package import GraphIR
package import TensorCore

/// The integer code of each quantized activation.
package struct ActivationCodes: Sendable, Equatable {
  /// The type that stores the codes of most values.
  package var elementType: ElementType
  package var codes: [ValueID: AffineCode]

  /// Values whose codes have 16 bits instead.
  package var widened: Set<ValueID>

  package init(
    elementType: ElementType, codes: [ValueID: AffineCode], widened: Set<ValueID> = []
  ) {
    self.elementType = elementType
    self.codes = codes
    self.widened = widened
  }

  /// The type that stores the codes of a value.
  package func elementType(of value: ValueID) -> ElementType {
    widened.contains(value) ? elementType.widened : elementType
  }
}

extension ElementType {
  /// The integer type of 16 bits with or without a sign, as this one has.
  var widened: ElementType { isSignedInteger ? .int16 : .uint16 }
}

extension QuantizationOptions {
  /// The same with activations of 16 bits.
  var widened: QuantizationOptions {
    var options = self
    options.activationType = activationType.widened
    return options
  }
}

extension WeightQuantizer {
  /// The same with codes of 16 bits.
  var widened: WeightQuantizer {
    var quantizer = self
    quantizer.elementType = elementType.widened
    return quantizer
  }
}

extension ActivationCodes {
  /// The code of a real range under options.
  static func code(
    from minimum: Double, to maximum: Double, options: QuantizationOptions
  ) -> AffineCode {
    let all = ClosedRange<Int32>(allOf: options.activationType)
    guard options.symmetricActivations else {
      return .withoutTies(from: minimum, to: maximum, codes: all)
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
