// SPDX-License-Identifier: Apache-2.0
import CompressionCore
public import GraphIR
public import Training

/// The student's features, through a regressor that is trained along, are to be the teacher's.
///
/// Source: Romero et al., "FitNets: Hints for Thin Deep Nets", 2015, equation 3: the mean over all
/// elements of `(r(A_student) − A_teacher)²`, summed over the pairs, with a 1×1 convolution as
/// regressor r. It is one of the terms from the beginning; the paper trains with it alone first.
/// Maps of different sizes are brought to the smaller one by averaging.
public struct Hints: DistillationLoss {
  public var beta: Double
  public var taps: FeatureTaps?

  public init(
    beta: Double = 100, taps: FeatureTaps = FeatureTaps(student: .middle, teacher: .middle)
  ) {
    self.beta = beta
    self.taps = taps
  }

  public var name: String { "hint" }
  public var weight: Double { beta }

  public func addLoss(
    of pairs: [FeaturePair], to context: inout LossContext
  ) throws -> ValueID {
    var losses: [ValueID] = []
    for (index, pair) in pairs.enumerated() {
      let name = "hint/\(index)"
      let aligned = context.aligned(pair, name: name)
      let channels = (aligned.student.shape[1], aligned.teacher.shape[1])
      let regressor = try context.addConvolutionParameters(
        [channels.1, channels.0, 1, 1], name: "\(name)/regressor")
      let guess = context.convolved(
        aligned.student, by: regressor.weight, regressor.bias, channels: channels.1, side: 1,
        name: "\(name)/guess")
      losses.append(context.meanSquare(of: guess, less: aligned.teacher, name: name))
    }
    return context.sum(losses, name: "hint")
  }
}

extension Hints {
  static let entry = DistillationLosses.Entry(
    MethodCard(
      name: "hint", summary: "FitNet hints: the teacher's features through a 1×1 regressor.",
      paper: "Romero et al., FitNets: Hints for Thin Deep Nets, 2015",
      shrinks: "the network, by training a smaller one", speedsUp: "the student is the smaller one",
      options: [
        MethodOption("beta", standard: "100", accepted: "a number from 0", summary: "weight")
      ] + FeatureTaps.options(standard: "middle"))
  ) { options throws(CompressionError) in
    Hints(beta: try options.number("beta", in: 0...1e12), taps: try FeatureTaps(options))
  }
}
