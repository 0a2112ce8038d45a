// SPDX-License-Identifier: Apache-2.0
public import CompressionCore

/// How a network is quantized while it is trained.
public struct TrainedQuantizationOptions: Sendable, Equatable {
  /// Bits of a layer; 32 stands for float.
  public struct LayerRule: Sendable, Equatable, Codable {
    public var select: LayerSelector
    public var weights: Int?
    public var activations: Int?

    public init(_ select: LayerSelector, weights: Int? = nil, activations: Int? = nil) {
      self.select = select
      self.weights = weights
      self.activations = activations
    }
  }

  /// One of `TrainedQuantizers.family`.
  public var quantizer = MethodChoice("lsq")

  /// Another one for activations; `nil` for the same.
  public var activationQuantizer: MethodChoice?

  /// Bits of a weight, 2…8, or 32 for float.
  public var weights = 4

  /// Bits of an activation, 2…8, or 32 for float.
  public var activations = 4

  /// Bits of weights and activations of the first and the last layer.
  public var firstLast = 8

  /// Layers with bits of their own; of several rules the last one that says something decides, and
  /// any goes before `firstLast`.
  public var layers: [LayerRule] = []

  /// How codes of less than 8 bits are stored.
  public var packing = Packing.types

  /// Storage of codes of 2 and 4 bits.
  public enum Packing: String, Sendable, Codable, CaseIterable {
    /// In ONNX's own types int2 (operator set 25) and int4 (21).
    case types
    /// In bytes that a function of the file unpacks, with operators of set 18.
    case function
  }

  public init() {}

  public static let supportedBits = Array(2...8) + [32]

  /// Checks the choices.
  ///
  /// - Throws: `QuantizationError.unsupportedType` or `CompressionError`.
  public func validate() throws {
    let rules = layers.flatMap { [$0.weights, $0.activations] }.compactMap { $0 }
    for bits in [weights, activations, firstLast] + rules
    where !Self.supportedBits.contains(bits) {
      throw QuantizationError.unsupportedBits(bits, supported: "2…8, or 32 for float")
    }
    _ = try TrainedQuantizers.family.method(for: quantizer)
    if let activationQuantizer {
      _ = try TrainedQuantizers.family.method(for: activationQuantizer)
    }
  }

  /// Bits of the weights and the activations of a layer.
  func bits(of layer: LayerPosition) -> (weights: Int, activations: Int) {
    let isEnd = layer.index == 0 || layer.index == layer.count - 1
    var bits = (
      weights: isEnd ? firstLast : weights, activations: isEnd ? firstLast : activations
    )
    for rule in layers where rule.select.selects(layer) {
      bits.weights = rule.weights ?? bits.weights
      bits.activations = rule.activations ?? bits.activations
    }
    return bits
  }
}

extension TrainedQuantizationOptions: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case quantizer
    case activationQuantizer = "activation_quantizer"
    case weights, activations
    case firstLast = "first_last"
    case layers
    case packing = "pack"
  }

  private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
  }

  /// Names of all fields of a recipe.
  public static var fieldNames: [String] { CodingKeys.allCases.map(\.rawValue) }

  /// Reads options of which any may be left out; those have their defaults.
  public init(from decoder: any Decoder) throws {
    self.init()
    let fields = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
    if let unknown = fields.sorted().first(where: { !Self.fieldNames.contains($0) }) {
      throw CompressionError.unknownOption(
        unknown, method: "quantization", accepted: Self.fieldNames)
    }
    let given = try decoder.container(keyedBy: CodingKeys.self)
    quantizer = try given.decodeIfPresent(MethodChoice.self, forKey: .quantizer) ?? quantizer
    activationQuantizer = try given.decodeIfPresent(
      MethodChoice.self, forKey: .activationQuantizer)
    weights = try given.decodeIfPresent(Int.self, forKey: .weights) ?? weights
    activations = try given.decodeIfPresent(Int.self, forKey: .activations) ?? activations
    firstLast = try given.decodeIfPresent(Int.self, forKey: .firstLast) ?? firstLast
    layers = try given.decodeIfPresent([LayerRule].self, forKey: .layers) ?? layers
    if let word = try given.decodeIfPresent(String.self, forKey: .packing) {
      packing = try Packing(option: word)
    }
    try validate()
  }
}

extension TrainedQuantizationOptions.Packing {
  /// - Throws: `CompressionError.invalidOption`.
  public init(option word: String) throws(CompressionError) {
    guard let packing = Self(rawValue: word) else {
      throw .invalidOption(
        "pack", method: "quantization", found: word,
        accepted: Self.allCases.map(\.rawValue).joined(separator: ", "))
    }
    self = packing
  }
}
