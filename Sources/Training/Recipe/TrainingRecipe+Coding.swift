// SPDX-License-Identifier: Apache-2.0
import DataIO

extension TrainingRecipe: Codable {
  enum Field: String, CodingKey, CaseIterable {
    case epochs
    case batchSize = "batch_size"
    case accumulation, precision, seed, optimizer
    case learningRate = "learning_rate"
    case schedule
    case weightDecay = "weight_decay"
    case decaysNormalizationAndBias = "decay_norm_and_bias"
    case loss
    case labelSmoothing = "label_smoothing"
    case gradientClipping = "gradient_clipping"
    case averaging = "ema"
    case freezesStatistics = "freeze_statistics"
    case reestimationBatches = "reestimation_batches"
    case earlyStopPatience = "early_stop_patience"
    case augmentation
    case validationShare = "validation_share"
    case evaluationInterval = "evaluation_interval"

    /// What the field takes, in words.
    var accepted: String {
      switch self {
      case .epochs: "a whole number from 0"
      case .batchSize, .accumulation, .earlyStopPatience, .evaluationInterval:
        "a whole number from 1"
      case .reestimationBatches, .seed: "a whole number from 0"
      case .precision: Precision.allCases.map(\.rawValue).joined(separator: ", ")
      case .loss: Loss.allCases.map(\.rawValue).joined(separator: ", ")
      case .optimizer, .schedule, .averaging, .augmentation: "fields and their values"
      case .learningRate, .gradientClipping: "a number above 0"
      case .weightDecay: "a number from 0"
      case .decaysNormalizationAndBias, .freezesStatistics: "true, false"
      case .labelSmoothing, .validationShare: "0 to below 1"
      }
    }
  }

  /// Names of all fields of a recipe.
  public static var fieldNames: [String] { Field.allCases.map(\.rawValue) }

  /// - Throws: `TrainingError` naming the field and what it takes; decoders may wrap it (see
  ///   `TrainingError.init(in:)`).
  public init(from decoder: any Decoder) throws {
    self.init()
    let reader = try RecipeReader(decoder, name: "recipe")
    try reader.check(fields: Self.fieldNames)
    func read<Value: Decodable>(_ field: Field, _ value: inout Value) throws {
      try reader.read(field.rawValue, into: &value, accepted: field.accepted)
    }
    try read(.epochs, &epochs)
    try read(.batchSize, &batchSize)
    try read(.accumulation, &accumulation)
    try reader.readChoice(Field.precision.rawValue, into: &precision)
    try read(.seed, &seed)
    try read(.optimizer, &optimizer)
    try read(.learningRate, &learningRate)
    try read(.schedule, &schedule)
    try read(.weightDecay, &weightDecay)
    try read(.decaysNormalizationAndBias, &decaysNormalizationAndBias)
    try reader.readChoice(Field.loss.rawValue, into: &loss)
    try read(.labelSmoothing, &labelSmoothing)
    try read(.gradientClipping, &gradientClipping)
    try read(.averaging, &averaging)
    try read(.freezesStatistics, &freezesStatistics)
    try read(.reestimationBatches, &reestimationBatches)
    try read(.earlyStopPatience, &earlyStopPatience)
    try read(.augmentation, &augmentation)
    try read(.validationShare, &validationShare)
    try read(.evaluationInterval, &evaluationInterval)
    try validate()
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Field.self)
    try container.encode(epochs, forKey: .epochs)
    try container.encode(batchSize, forKey: .batchSize)
    try container.encode(accumulation, forKey: .accumulation)
    try container.encode(precision, forKey: .precision)
    try container.encode(seed, forKey: .seed)
    try container.encode(optimizer, forKey: .optimizer)
    try container.encode(learningRate, forKey: .learningRate)
    try container.encode(schedule, forKey: .schedule)
    try container.encode(weightDecay, forKey: .weightDecay)
    try container.encode(decaysNormalizationAndBias, forKey: .decaysNormalizationAndBias)
    try container.encode(loss, forKey: .loss)
    try container.encode(labelSmoothing, forKey: .labelSmoothing)
    try container.encodeIfPresent(gradientClipping, forKey: .gradientClipping)
    try container.encodeIfPresent(averaging, forKey: .averaging)
    try container.encode(freezesStatistics, forKey: .freezesStatistics)
    try container.encode(reestimationBatches, forKey: .reestimationBatches)
    try container.encodeIfPresent(earlyStopPatience, forKey: .earlyStopPatience)
    try container.encode(augmentation, forKey: .augmentation)
    try container.encode(validationShare, forKey: .validationShare)
    try container.encode(evaluationInterval, forKey: .evaluationInterval)
  }

  /// Checks all values; decoding has done so, changes made afterwards are not checked.
  ///
  /// - Throws: `TrainingError.invalidField` for the first value that makes no sense.
  public func validate() throws(TrainingError) {
    func rule(_ field: Field, _ value: some Any, _ holds: Bool) -> RecipeRule {
      RecipeRule(field.rawValue, value, field.accepted, holds)
    }
    try RecipeRule.check([
      rule(.epochs, epochs, epochs >= 0),
      rule(.batchSize, batchSize, batchSize >= 1),
      rule(.accumulation, accumulation, accumulation >= 1),
      rule(.learningRate, learningRate, learningRate > 0 && learningRate.isFinite),
      rule(.weightDecay, weightDecay, weightDecay >= 0 && weightDecay.isFinite),
      rule(.labelSmoothing, labelSmoothing, labelSmoothing >= 0 && labelSmoothing < 1),
      rule(
        .gradientClipping, gradientClipping ?? 1,
        gradientClipping.map { $0 > 0 && $0.isFinite } ?? true),
      rule(.reestimationBatches, reestimationBatches, reestimationBatches >= 0),
      rule(.earlyStopPatience, earlyStopPatience ?? 1, (earlyStopPatience ?? 1) >= 1),
      rule(.validationShare, validationShare, validationShare >= 0 && validationShare < 1),
      rule(.evaluationInterval, evaluationInterval, evaluationInterval >= 1),
    ])
    try optimizer.validate()
    try schedule.validate(epochs: epochs)
    try averaging?.validate()
    do { try augmentation.validate() } catch {
      guard case .invalidOption(let option, let value, let accepted) = error else {
        throw .invalidField(
          field: Field.augmentation.rawValue, found: "\(error)",
          accepted: Field.augmentation.accepted)
      }
      throw .invalidField(field: "augmentation.\(option)", found: value, accepted: accepted)
    }
  }
}

extension WeightAveraging: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case decay
    case warmsUp = "warmup"
  }

  public init(from decoder: any Decoder) throws {
    self.init()
    let reader = try RecipeReader(decoder, name: "ema")
    try reader.check(fields: CodingKeys.allCases.map(\.rawValue))
    try reader.read("decay", into: &decay, accepted: "0 to below 1")
    try reader.read("warmup", into: &warmsUp, accepted: "true, false")
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(decay, forKey: .decay)
    try container.encode(warmsUp, forKey: .warmsUp)
  }

  func validate() throws(TrainingError) {
    try RecipeRule.check(
      [RecipeRule("decay", decay, "0 to below 1", decay >= 0 && decay < 1)], under: "ema")
  }
}
