// SPDX-License-Identifier: Apache-2.0
import Foundation
import GraphIR
import TensorCore
import Testing
import Training

/// Softmax regression on two classes in double precision, written down by hand.
struct HandRegression {
  var w = [0.5, -0.25, 0.75, 1.0]
  var b = [0.1, -0.1]

  /// Gradients of the mean cross-entropy, weights first, then biases.
  func gradients(_ rows: [[Float]], _ targets: [[Float]]) -> [Double] {
    var result = [Double](repeating: 0, count: 6)
    for (x, t) in zip(rows, targets) {
      let z = (0..<2).map { w[2 * $0] * Double(x[0]) + w[2 * $0 + 1] * Double(x[1]) + b[$0] }
      let sum = z.map { exp($0) }.reduce(0, +)
      let total = t.reduce(0) { $0 + Double($1) }
      for k in 0..<2 {
        let d = (exp(z[k]) / sum * total - Double(t[k])) / Double(rows.count)
        result[2 * k] += d * Double(x[0])
        result[2 * k + 1] += d * Double(x[1])
        result[4 + k] += d
      }
    }
    return result
  }

  /// Gradients of the mean over samples and classes of the squared difference.
  func squareGradients(_ rows: [[Float]], _ targets: [[Float]]) -> [Double] {
    var result = [Double](repeating: 0, count: 6)
    for (x, t) in zip(rows, targets) {
      for k in 0..<2 {
        let z = w[2 * k] * Double(x[0]) + w[2 * k + 1] * Double(x[1]) + b[k]
        let d = 2 * (z - Double(t[k])) / Double(2 * rows.count)
        result[2 * k] += d * Double(x[0])
        result[2 * k + 1] += d * Double(x[1])
        result[4 + k] += d
      }
    }
    return result
  }
}

@Suite("One step of training")
struct StepTests {
  private static let rows: [[Float]] = [[1, 2], [-1, 0.5], [0.25, -2], [3, 1]]
  private static let targets: [[Float]] = [[1, 0], [0, 1], [0.25, 0.75], [0.9, 0.1]]

  // float32 arithmetic of a dozen operations on numbers near 1.
  private static let tolerance = 1e-6

  private func recipe(steps: Int = 1) -> TrainingRecipe {
    var recipe = TrainingRecipe()
    recipe.epochs = steps
    recipe.batchSize = 4
    recipe.learningRate = 0.1
    recipe.schedule = LearningRateSchedule()
    recipe.weightDecay = 0.01
    return recipe
  }

  private func trained(
    _ recipe: TrainingRecipe, batches: Int = 1
  ) throws -> TrainingResult {
    let source = FixedBatches(
      rows: Self.rows, targetRows: Self.targets, batchesPerEpoch: batches)
    return try Trainer.interpreted(productNetwork(), recipe).train(on: source)
  }

  private func weights(_ result: TrainingResult) throws -> [Double] {
    let graph = result.network
    return try ["w", "b"].flatMap { name in
      try #require(graph.constant(graph.value(named: name))).reals()
    }
  }

  private func expectEqual(_ found: [Double], _ expected: [Double]) {
    for (a, b) in zip(found, expected) { #expect(abs(a - b) < Self.tolerance, "\(a) \(b)") }
  }

  @Test("follows SGD with momentum and decay of weights, not of biases")
  func sgd() throws {
    var hand = HandRegression()
    var velocity = [Double](repeating: 0, count: 6)
    for _ in 0..<3 {
      var g = hand.gradients(Self.rows, Self.targets)
      for index in 0..<4 { g[index] += 0.01 * hand.w[index] }
      for index in 0..<6 {
        velocity[index] = 0.9 * velocity[index] + g[index]
        if index < 4 {
          hand.w[index] -= 0.1 * velocity[index]
        } else {
          hand.b[index - 4] -= 0.1 * velocity[index]
        }
      }
    }
    expectEqual(try weights(try trained(recipe(steps: 3))), hand.w + hand.b)
  }

  @Test("follows AdamW")
  func adamW() throws {
    var recipe = recipe(steps: 3)
    recipe.optimizer = .adamW()
    recipe.decaysNormalizationAndBias = true
    var hand = HandRegression()
    var (m, v) = ([Double](repeating: 0, count: 6), [Double](repeating: 0, count: 6))
    for t in 1...3 {
      let g = hand.gradients(Self.rows, Self.targets)
      var all = hand.w + hand.b
      for index in 0..<6 {
        m[index] = 0.9 * m[index] + 0.1 * g[index]
        v[index] = 0.999 * v[index] + 0.001 * g[index] * g[index]
        let (mean, square) = (
          m[index] / (1 - pow(0.9, Double(t))), v[index] / (1 - pow(0.999, Double(t)))
        )
        all[index] -= 0.1 * (mean / (square.squareRoot() + 1e-8) + 0.01 * all[index])
      }
      (hand.w, hand.b) = (Array(all[..<4]), Array(all[4...]))
    }
    // The square root of a small second moment enlarges the rounding of the gradient.
    for (a, b) in zip(try weights(try trained(recipe)), hand.w + hand.b) {
      #expect(abs(a - b) < 2e-5, "\(a) \(b)")
    }
  }

  @Test("makes squared differences small")
  func meanSquared() throws {
    var recipe = recipe()
    recipe.loss = .meanSquared
    recipe.weightDecay = 0
    let hand = HandRegression()
    let g = hand.squareGradients(Self.rows, Self.targets)
    let expected = zip(hand.w + hand.b, g).map { $0 - 0.1 * $1 }
    expectEqual(try weights(try trained(recipe)), expected)
  }

  @Test("has the gradients of cross-entropy and another value under Kullback–Leibler")
  func kullbackLeibler() throws {
    var recipe = recipe()
    let entropy = try trained(recipe)
    recipe.loss = .kullbackLeibler
    let divergence = try trained(recipe)
    expectEqual(try weights(divergence), try weights(entropy))
    // The entropy of the targets: only the last two rows have any.
    let shares: [Double] = Self.targets.flatMap { $0 }.filter { $0 > 0 }.map { Double($0) }
    let entropyOfTargets: Double = shares.reduce(0.0) { sum, t in sum - t * log(t) } / 4
    let difference = entropy.history[0].loss - divergence.history[0].loss
    #expect(abs(difference - entropyOfTargets) < Self.tolerance)
  }

  @Test("clips the norm of all gradients together")
  func clipping() throws {
    var recipe = recipe()
    recipe.gradientClipping = 0.1
    recipe.weightDecay = 0
    let hand = HandRegression()
    let g = hand.gradients(Self.rows, Self.targets)
    let norm = g.reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(norm > 0.1)
    expectEqual(
      try weights(try trained(recipe)), zip(hand.w + hand.b, g).map { $0 - 0.1 * $1 * 0.1 / norm })
  }

  @Test("averages weights with a decay that rises")
  func averaging() throws {
    var recipe = recipe(steps: 2)
    recipe.averaging = WeightAveraging(decay: 0.15)
    recipe.optimizer = .sgd(momentum: 0)
    recipe.weightDecay = 0
    var hand = HandRegression()
    var average = hand.w + hand.b
    for t in 0..<2 {
      let g = hand.gradients(Self.rows, Self.targets)
      let all = zip(hand.w + hand.b, g).map { $0 - 0.1 * $1 }
      (hand.w, hand.b) = (Array(all[..<4]), Array(all[4...]))
      // (1 + t) / (10 + t): 0.1, then 2/11 > 0.15.
      let decay = t == 0 ? 0.1 : 0.15
      average = zip(average, all).map { decay * $0 + (1 - decay) * $1 }
    }
    let result = try trained(recipe)
    expectEqual(try weights(result), average)
    expectEqual(try #require(result.state["w"]).reals(), hand.w)
  }

  @Test("of accumulated batches is that of one large batch", arguments: [1, 2])
  func accumulation(_ parts: Int) throws {
    var whole = recipe(steps: 2)
    whole.gradientClipping = 0.3
    var split = whole
    split.batchSize = 4 / (2 * parts)
    split.accumulation = 2 * parts
    let expected = try weights(try trained(whole))
    let result = try trained(split, batches: 2 * parts)
    #expect(result.steps == 2)
    expectEqual(try weights(result), expected)
  }

  @Test("obeys policies, transforms and further terms of the loss")
  func seams() throws {
    struct OnlyBias: ParameterPolicy {
      func options(
        for parameter: TrainableParameter, standard: ParameterOptions
      ) -> ParameterOptions? {
        var options = standard
        options.rateFactor = 0.5
        options.isTrained = parameter.name == "b"
        return options
      }
    }
    struct SquaredScores: LossTerm {
      var name: String { "squares" }
      var weight: Double { 0.25 }
      func addLoss(to context: inout LossContext) throws -> ValueID {
        let square = context.add(
          Binary(.multiply), [context.scores, context.scores], name: "squares/square")
        return context.add(Reduce(.mean, keepsDimensions: false), [square], name: "squares/mean")
      }
    }
    var recipe = recipe()
    recipe.weightDecay = 0
    var trainer = try Trainer.interpreted(productNetwork(), recipe)
    trainer.builder.policies = [OnlyBias()]
    trainer.builder.lossTerms.append(SquaredScores())
    let source = FixedBatches(rows: Self.rows, targetRows: Self.targets)
    let result = try trainer.train(on: source)
    let hand = HandRegression()
    let zeros = Self.targets.map { _ in [Float](repeating: 0, count: 2) }
    let g = zip(
      hand.gradients(Self.rows, Self.targets), hand.squareGradients(Self.rows, zeros)
    ).map { $0 + 0.25 * $1 }
    expectEqual(
      try weights(result), hand.w + [hand.b[0] - 0.05 * g[4], hand.b[1] - 0.05 * g[5]])
  }
}
