// SPDX-License-Identifier: Apache-2.0
import CompressionCore
public import GraphIR
public import Training

/// The student's softened probabilities are to be the teacher's.
///
/// Source: Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015, section 2.
/// With `p(T) = softmax(scores / T)`, the mean over the batch of `T² KL(p_teacher(T) ‖ p_student(T))`
/// in place of the paper's cross-entropy, from which it differs by a constant; times `alpha`, with
/// `1 − alpha` left to the recipe's loss.
public struct SoftTargets: DistillationLoss {
  public var temperature: Double
  public var alpha: Double

  public init(temperature: Double = 4, alpha: Double = 0.9) {
    self.temperature = temperature
    self.alpha = alpha
  }

  public var name: String { "kd" }
  public var weight: Double { alpha }
  public var labelFactor: Double { 1 - alpha }
  public var taps: FeatureTaps? { nil }

  public func addLoss(
    of pairs: [FeaturePair], to context: inout LossContext
  ) throws -> ValueID {
    var losses: [ValueID] = []
    for pair in pairs {
      let scores = [pair.student.value, pair.teacher.value].map {
        context.scaled($0, by: 1 / temperature, name: "kd/softened")
      }
      let wanted = Self.crossEntropy(of: scores[1], context.targets, in: &context).probabilities
      let (loss, entropy) = (
        Self.crossEntropy(of: scores[0], wanted, in: &context).loss,
        Self.crossEntropy(of: scores[1], wanted, in: &context).loss
      )
      let divergence = context.add(Binary(.subtract), [loss, entropy], name: "kd/divergence")
      losses.append(
        context.scaled(divergence, by: temperature * temperature, name: "kd/loss"))
    }
    return context.sum(losses, name: "kd")
  }

  private static func crossEntropy(
    of scores: ValueID, _ targets: ValueID, in context: inout LossContext
  ) -> (loss: ValueID, probabilities: ValueID) {
    let results = context.network.graph.addNode(
      SoftmaxCrossEntropy(), name: "kd/cross_entropy", inputs: [scores, targets],
      outputNames: ["kd/cross_entropy", "kd/probabilities"])
    return (results[0], results[1])
  }
}

extension SoftTargets {
  static let entry = DistillationLosses.Entry(
    MethodCard(
      name: "kd", summary: "Soft targets: the teacher's probabilities at a temperature.",
      paper: "Hinton, Vinyals, Dean, Distilling the Knowledge in a Neural Network, 2015",
      shrinks: "the network, by training a smaller one", speedsUp: "the student is the smaller one",
      options: [
        MethodOption(
          "T", standard: "4", accepted: "a number above 0", summary: "temperature"),
        MethodOption(
          "alpha", standard: "0.9", accepted: "0 to 1",
          summary: "share of the soft targets; the rest is left to the labels"),
      ])
  ) { options throws(CompressionError) in
    SoftTargets(
      temperature: try options.number("T", in: .leastNormalMagnitude...1e6),
      alpha: try options.number("alpha", in: 0...1))
  }
}
