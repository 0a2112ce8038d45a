// SPDX-License-Identifier: Apache-2.0
import CompressionCore
public import Distillation
public import Quantization
public import Training

/// A chain of steps that compress one network: a YAML file, or values.
///
/// ```yaml
/// model: resnet20.onnx
/// data: cifar10/
/// output: resnet20.w4a4.onnx
/// steps:
///   - train: {recipe: {epochs: 5, learning_rate: 0.01}}
///   - train:
///       recipe: {epochs: 30, learning_rate: 0.01, precision: bf16}
///       quantization: {quantizer: lsq, weights: 4, activations: 4}
///       distillation: {teacher: resnet56.onnx, losses: ["kd:T=4,alpha=0.9"]}
/// ```
///
/// Decoding is strict: unknown fields and wrong values are errors.
public struct CompressionRecipe: Sendable, Equatable {
  /// What is done to the network that the step before left.
  public enum Step: Sendable, Equatable {
    case train(TrainingStep)
    case quantize(QuantizationOptions)
  }

  /// Training, with what takes part in it.
  public struct TrainingStep: Sendable, Equatable {
    public var recipe = TrainingRecipe()

    /// Quantization as a part of training; `nil` for none.
    public var quantization: TrainedQuantizationOptions?

    /// A network that teaches; `nil` for none.
    public var distillation: DistillationOptions?

    public init(
      recipe: TrainingRecipe = TrainingRecipe(), quantization: TrainedQuantizationOptions? = nil,
      distillation: DistillationOptions? = nil
    ) {
      self.recipe = recipe
      self.quantization = quantization
      self.distillation = distillation
    }
  }

  /// Files and samples, unless they are given otherwise.
  public var model: String?
  public var data: String?
  public var output: String?
  public var steps: [Step]

  public init(
    model: String? = nil, data: String? = nil, output: String? = nil, steps: [Step] = []
  ) {
    self.model = model
    self.data = data
    self.output = output
    self.steps = steps
  }
}

extension CompressionRecipe: Codable {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
  }

  /// A mapping with no other fields than those.
  private static func container(
    _ decoder: any Decoder, fields: [String]
  ) throws -> KeyedDecodingContainer<Key> {
    let place = decoder.codingPath.map(\.stringValue)
    guard let container = try? decoder.container(keyedBy: Key.self) else {
      throw TrainingError.invalidField(
        field: place.joined(separator: "."), found: "no mapping",
        accepted: fields.joined(separator: ", "))
    }
    for key in container.allKeys.map(\.stringValue).sorted() where !fields.contains(key) {
      throw TrainingError.unknownField(
        field: (place + [key]).joined(separator: "."), accepted: fields)
    }
    return container
  }

  public init(from decoder: any Decoder) throws {
    let fields = ["model", "data", "output", "steps"]
    let container = try Self.container(decoder, fields: fields)
    func text(_ field: String) throws -> String? {
      try container.decodeIfPresent(String.self, forKey: Key(stringValue: field))
    }
    self.init(model: try text("model"), data: try text("data"), output: try text("output"))
    steps =
      try container.decodeIfPresent([Step].self, forKey: Key(stringValue: "steps")) ?? []
    guard !steps.isEmpty else {
      throw TrainingError.invalidField(
        field: "steps", found: "none", accepted: "a list of steps such as train or quantize")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encodeIfPresent(model, forKey: Key(stringValue: "model"))
    try container.encodeIfPresent(data, forKey: Key(stringValue: "data"))
    try container.encodeIfPresent(output, forKey: Key(stringValue: "output"))
    try container.encode(steps, forKey: Key(stringValue: "steps"))
  }
}

extension CompressionRecipe.Step: Codable {
  private enum Kind: String, CaseIterable, CodingKey { case train, quantize }

  public init(from decoder: any Decoder) throws {
    let place = decoder.codingPath.map(\.stringValue).joined(separator: ".")
    let container = try decoder.container(keyedBy: Kind.self)
    let accepted = Kind.allCases.map(\.rawValue)
    guard container.allKeys.count == 1, let kind = container.allKeys.first else {
      throw TrainingError.invalidField(
        field: place, found: "\(container.allKeys.count) known kinds of step",
        accepted: "one of " + accepted.joined(separator: ", "))
    }
    switch kind {
    case .train:
      self = .train(try container.decode(CompressionRecipe.TrainingStep.self, forKey: kind))
    case .quantize:
      self = .quantize(try container.decode(QuantizationOptions.self, forKey: kind))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Kind.self)
    switch self {
    case .train(let step): try container.encode(step, forKey: .train)
    case .quantize(let options): try container.encode(options, forKey: .quantize)
    }
  }
}

extension CompressionRecipe.TrainingStep: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case recipe, quantization, distillation
  }

  private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
  }

  public init(from decoder: any Decoder) throws {
    let known = CodingKeys.allCases.map(\.rawValue)
    let given = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
    if let unknown = given.sorted().first(where: { !known.contains($0) }) {
      let place = decoder.codingPath.map(\.stringValue) + [unknown]
      throw TrainingError.unknownField(field: place.joined(separator: "."), accepted: known)
    }
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      recipe: try container.decodeIfPresent(TrainingRecipe.self, forKey: .recipe)
        ?? TrainingRecipe(),
      quantization: try container.decodeIfPresent(
        TrainedQuantizationOptions.self, forKey: .quantization),
      distillation: try container.decodeIfPresent(
        DistillationOptions.self, forKey: .distillation))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(recipe, forKey: .recipe)
    try container.encodeIfPresent(quantization, forKey: .quantization)
    try container.encodeIfPresent(distillation, forKey: .distillation)
  }
}
