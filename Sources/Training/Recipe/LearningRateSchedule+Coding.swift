// SPDX-License-Identifier: Apache-2.0

extension LearningRateSchedule: Codable {
  private enum Kind: String, CaseIterable {
    case constant, step
    case multiStep = "multi_step"
    case linear, polynomial, cosine
    case oneCycle = "one_cycle"

    var fields: [String] {
      switch self {
      case .constant: []
      case .step, .multiStep: ["epochs", "factor"]
      case .linear, .cosine: ["end"]
      case .polynomial: ["power", "end"]
      case .oneCycle: ["rise", "divisor", "final_divisor"]
      }
    }
  }

  public init(from decoder: any Decoder) throws {
    self.init()
    let reader = try RecipeReader(decoder, name: "schedule")
    var kind = Kind.constant
    try reader.readChoice("kind", into: &kind)
    let warmUpFields = kind == .oneCycle ? [] : ["warmup_epochs", "warmup_start"]
    try reader.check(fields: ["kind"] + kind.fields + warmUpFields)
    func number(_ field: String, _ value: Double) throws -> Double {
      var value = value
      try reader.read(field, into: &value, accepted: "a number")
      return value
    }
    switch kind {
    case .constant: shape = .constant
    case .step:
      shape = .step(epochs: try number("epochs", 30), factor: try number("factor", 0.1))
    case .multiStep:
      var epochs: [Double] = []
      try reader.read("epochs", into: &epochs, accepted: "a list of epochs, such as [80, 120]")
      shape = .multiStep(epochs: epochs, factor: try number("factor", 0.1))
    case .linear: shape = .linear(end: try number("end", 0))
    case .polynomial:
      shape = .polynomial(power: try number("power", 2), end: try number("end", 0))
    case .cosine: shape = .cosine(end: try number("end", 0))
    case .oneCycle:
      shape = .oneCycle(
        rise: try number("rise", 0.3), divisor: try number("divisor", 25),
        finalDivisor: try number("final_divisor", 1e4))
    }
    warmUpEpochs = try number("warmup_epochs", 0)
    warmUpStart = try number("warmup_start", 0)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: RecipeReader.Key.self)
    func put(_ field: String, _ value: some Encodable) throws {
      try container.encode(value, forKey: RecipeReader.Key(stringValue: field))
    }
    switch shape {
    case .constant: try put("kind", Kind.constant.rawValue)
    case .step(let epochs, let factor):
      try put("kind", Kind.step.rawValue)
      try put("epochs", epochs)
      try put("factor", factor)
    case .multiStep(let epochs, let factor):
      try put("kind", Kind.multiStep.rawValue)
      try put("epochs", epochs)
      try put("factor", factor)
    case .linear(let end):
      try put("kind", Kind.linear.rawValue)
      try put("end", end)
    case .polynomial(let power, let end):
      try put("kind", Kind.polynomial.rawValue)
      try put("power", power)
      try put("end", end)
    case .cosine(let end):
      try put("kind", Kind.cosine.rawValue)
      try put("end", end)
    case .oneCycle(let rise, let divisor, let finalDivisor):
      try put("kind", Kind.oneCycle.rawValue)
      try put("rise", rise)
      try put("divisor", divisor)
      try put("final_divisor", finalDivisor)
      return
    }
    try put("warmup_epochs", warmUpEpochs)
    try put("warmup_start", warmUpStart)
  }

  /// - Throws: `TrainingError.invalidField` for the first value that makes no sense.
  func validate(epochs total: Int) throws(TrainingError) {
    var rules = [
      RecipeRule(
        "warmup_epochs", warmUpEpochs, "0 to the number of epochs, \(total)",
        warmUpEpochs >= 0 && warmUpEpochs <= Double(total)),
      RecipeRule("warmup_start", warmUpStart, "0 to 1", (0...1).contains(warmUpStart)),
    ]
    func positive(_ field: String, _ value: Double) {
      rules.append(RecipeRule(field, value, "a number above 0", value > 0 && value.isFinite))
    }
    func share(_ field: String, _ value: Double) {
      rules.append(RecipeRule(field, value, "0 to 1", (0...1).contains(value)))
    }
    switch shape {
    case .constant: break
    case .step(let epochs, let factor):
      positive("epochs", epochs)
      positive("factor", factor)
    case .multiStep(let epochs, let factor):
      let isOrdered = zip(epochs, epochs.dropFirst()).allSatisfy { $0 < $1 }
      rules.append(
        RecipeRule(
          "epochs", epochs, "a rising list of epochs, such as [80, 120]",
          !epochs.isEmpty && isOrdered && epochs.allSatisfy { $0 > 0 }))
      positive("factor", factor)
    case .linear(let end), .cosine(let end): share("end", end)
    case .polynomial(let power, let end):
      positive("power", power)
      share("end", end)
    case .oneCycle(let rise, let divisor, let finalDivisor):
      share("rise", rise)
      positive("divisor", divisor)
      positive("final_divisor", finalDivisor)
      rules.append(
        RecipeRule(
          "warmup_epochs", warmUpEpochs, "0: one_cycle has its own rise", warmUpEpochs == 0))
    }
    try RecipeRule.check(rules, under: "schedule")
  }
}
