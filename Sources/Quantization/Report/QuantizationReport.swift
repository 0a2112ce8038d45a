// SPDX-License-Identifier: Apache-2.0
public import CompressionCore

/// What quantization did to a network, layer by layer.
public struct QuantizationReport: Codable, Sendable, Equatable {
  public var options: QuantizationOptions

  /// The products that were quantized, in the order of the network.
  public var layers: [LayerReport] = []

  /// Names of the products that stay in float.
  public var keptFloat: [String] = []

  /// Names of the nodes whose channels were equalized with those of a following one.
  public var equalized: [String] = []

  /// Names of the nodes whose biases were corrected.
  public var corrected: [String] = []

  /// Signal to noise of the network's outputs against those of the float network, in decibel.
  public var outputDecibels: Double?

  /// Multiply-accumulates of one sample that run on integer codes, and all; 0 if unknown.
  public var integerMultiplyAccumulates = 0
  public var multiplyAccumulates = 0

  /// Samples that ranges were calibrated on, and that signal to noise was measured on.
  public var calibrationSamples = 0
  public var comparedSamples = 0

  public init(options: QuantizationOptions) { self.options = options }

  /// The layers from the most damaged on; layers that were not measured last.
  public var layersByDamage: [LayerReport] {
    layers.enumerated().sorted { one, other in
      let (left, right) = (
        one.element.outputDecibels ?? .infinity, other.element.outputDecibels ?? .infinity
      )
      return left == right ? one.offset < other.offset : left < right
    }.map(\.element)
  }
}
