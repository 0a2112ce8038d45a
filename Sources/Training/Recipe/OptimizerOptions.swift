// SPDX-License-Identifier: Apache-2.0

/// How weights follow their gradients.
public enum OptimizerOptions: Sendable, Equatable {
  case sgd(momentum: Double = 0.9, usesNesterov: Bool = false)
  case adam(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)
  case adamW(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)
  case rmsProp(smoothing: Double = 0.99, momentum: Double = 0, epsilon: Double = 1e-8)
}

extension OptimizerOptions: Codable {
  private enum Kind: String, CaseIterable {
    case sgd, adam
    case adamW = "adamw"
    case rmsProp = "rmsprop"

    var fields: [String] {
      switch self {
      case .sgd: ["momentum", "nesterov"]
      case .adam, .adamW: ["beta1", "beta2", "epsilon"]
      case .rmsProp: ["smoothing", "momentum", "epsilon"]
      }
    }
  }

  public init(from decoder: any Decoder) throws {
    let reader = try RecipeReader(decoder, name: "optimizer")
    var kind = Kind.sgd
    try reader.readChoice("kind", into: &kind)
    try reader.check(fields: ["kind"] + kind.fields)
    func number(_ field: String, _ value: Double) throws -> Double {
      var value = value
      try reader.read(field, into: &value, accepted: "a number")
      return value
    }
    switch kind {
    case .sgd:
      var usesNesterov = false
      try reader.read("nesterov", into: &usesNesterov, accepted: "true, false")
      self = .sgd(momentum: try number("momentum", 0.9), usesNesterov: usesNesterov)
    case .adam, .adamW:
      let (beta1, beta2) = (try number("beta1", 0.9), try number("beta2", 0.999))
      let epsilon = try number("epsilon", 1e-8)
      self =
        kind == .adam
        ? .adam(beta1: beta1, beta2: beta2, epsilon: epsilon)
        : .adamW(beta1: beta1, beta2: beta2, epsilon: epsilon)
    case .rmsProp:
      self = .rmsProp(
        smoothing: try number("smoothing", 0.99), momentum: try number("momentum", 0),
        epsilon: try number("epsilon", 1e-8))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: RecipeReader.Key.self)
    func put(_ field: String, _ value: some Encodable) throws {
      try container.encode(value, forKey: RecipeReader.Key(stringValue: field))
    }
    switch self {
    case .sgd(let momentum, let usesNesterov):
      try put("kind", Kind.sgd.rawValue)
      try put("momentum", momentum)
      try put("nesterov", usesNesterov)
    case .adam(let beta1, let beta2, let epsilon), .adamW(let beta1, let beta2, let epsilon):
      if case .adam = self {
        try put("kind", Kind.adam.rawValue)
      } else {
        try put("kind", Kind.adamW.rawValue)
      }
      try put("beta1", beta1)
      try put("beta2", beta2)
      try put("epsilon", epsilon)
    case .rmsProp(let smoothing, let momentum, let epsilon):
      try put("kind", Kind.rmsProp.rawValue)
      try put("smoothing", smoothing)
      try put("momentum", momentum)
      try put("epsilon", epsilon)
    }
  }

  /// - Throws: `TrainingError.invalidField` for the first value that makes no sense.
  func validate() throws(TrainingError) {
    func share(_ field: String, _ value: Double) -> RecipeRule {
      RecipeRule(field, value, "0 to below 1", value >= 0 && value < 1)
    }
    func positive(_ field: String, _ value: Double) -> RecipeRule {
      RecipeRule(field, value, "a number above 0", value > 0 && value.isFinite)
    }
    let rules: [RecipeRule]
    switch self {
    case .sgd(let momentum, let usesNesterov):
      rules = [
        share("momentum", momentum),
        RecipeRule(
          "nesterov", usesNesterov, "false without momentum", !usesNesterov || momentum > 0),
      ]
    case .adam(let beta1, let beta2, let epsilon), .adamW(let beta1, let beta2, let epsilon):
      rules = [share("beta1", beta1), share("beta2", beta2), positive("epsilon", epsilon)]
    case .rmsProp(let smoothing, let momentum, let epsilon):
      rules = [
        share("smoothing", smoothing), share("momentum", momentum), positive("epsilon", epsilon),
      ]
    }
    try RecipeRule.check(rules, under: "optimizer")
  }
}
