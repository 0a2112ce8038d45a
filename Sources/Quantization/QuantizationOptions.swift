// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// How a network is quantized; the defaults need no further choice.
public struct QuantizationOptions: Codable, Sendable, Equatable {
  public enum Mode: String, Codable, Sendable, CaseIterable {
    /// Integer weights and activations, ranges of activations from calibration.
    case fixed = "static"
    /// Integer weights and activations, ranges of activations measured at run time.
    case dynamic
    /// Integer weights, real activations.
    case weightOnly = "weight-only"
    /// Everything in IEEE half precision.
    case float16 = "fp16"
    /// Weights in bfloat16, computation in single precision where the runtime has no better.
    case bfloat16 = "bf16"
  }

  public var mode = Mode.fixed
  public var weights = WeightQuantizer()

  /// `uint8`, `int8`, `uint16` or `int16`.
  public var activationType = ElementType.uint8

  /// Whether activations have zero point 0 (for unsigned types the middle of the codes).
  public var symmetricActivations = false

  /// The name of a range estimator, one of `RangeEstimators.registry`.
  public var estimator = "entropy"

  /// Cross-layer equalization before quantization.
  public var equalizes = true

  /// Correction of biases by the mean error of each channel.
  public var correctsBiases = true

  /// Whether the operands of a concatenation share one scale.
  public var sharesConcatScales = true

  /// Regular expressions; nodes whose names contain a match stay in float.
  public var keepFloat: [String] = []

  /// Fraction of values that percentile ranges keep.
  ///
  /// Ten times closer to 1 than usual: values beyond it still weigh more than the finer step.
  public var percentile = 0.99999

  public init(mode: Mode = .fixed) { self.mode = mode }

  /// Checks that the choices exist and fit together.
  public func validate() throws(QuantizationError) {
    let types: [ElementType] = [.int8, .uint8, .int16, .uint16]
    guard types.contains(activationType) else {
      throw .unsupportedType(
        activationType.rawValue, role: "activations", supported: types.map(\.rawValue))
    }
    guard types.contains(weights.elementType) else {
      throw .unsupportedType(
        weights.elementType.rawValue, role: "weights", supported: types.map(\.rawValue))
    }
    guard RangeEstimators.registry.method(named: estimator) != nil else {
      throw .unknownEstimator(estimator, known: RangeEstimators.registry.names)
    }
    guard percentile > 0.5, percentile <= 1 else {
      throw .unsupportedType(
        "\(percentile)", role: "the percentile", supported: ["0.5…1"])
    }
    _ = try NodeSelector(keepFloat)
  }
}

extension QuantizationOptions {
  /// Reads options of which any may be left out; those have their defaults.
  public init(from decoder: any Decoder) throws {
    self.init()
    let given = try decoder.container(keyedBy: CodingKeys.self)
    mode = try given.decodeIfPresent(Mode.self, forKey: .mode) ?? mode
    weights = try given.decodeIfPresent(WeightQuantizer.self, forKey: .weights) ?? weights
    activationType =
      try given.decodeIfPresent(ElementType.self, forKey: .activationType) ?? activationType
    symmetricActivations =
      try given.decodeIfPresent(Bool.self, forKey: .symmetricActivations) ?? symmetricActivations
    estimator = try given.decodeIfPresent(String.self, forKey: .estimator) ?? estimator
    equalizes = try given.decodeIfPresent(Bool.self, forKey: .equalizes) ?? equalizes
    correctsBiases =
      try given.decodeIfPresent(Bool.self, forKey: .correctsBiases) ?? correctsBiases
    sharesConcatScales =
      try given.decodeIfPresent(Bool.self, forKey: .sharesConcatScales) ?? sharesConcatScales
    keepFloat = try given.decodeIfPresent([String].self, forKey: .keepFloat) ?? keepFloat
    percentile = try given.decodeIfPresent(Double.self, forKey: .percentile) ?? percentile
  }
}
