// SPDX-License-Identifier: Apache-2.0
import CompressionCore
public import GraphIR
import TensorCore
public import Training

/// The student is to look where the teacher looks.
///
/// Source: Zagoruyko, Komodakis, "Paying More Attention to Attention", 2017, equations 1 and 2. The
/// map of a sample is `Q = mean over channels of |A|^p`, as a vector of unit length; the loss is the
/// mean over batch and places of `(Q_student − Q_teacher)²`, as in the authors' code, summed over
/// the pairs. (The paper has half the length of the difference.) Maps of different sizes are brought
/// to the smaller one by averaging.
public struct AttentionTransfer: DistillationLoss {
  public var beta: Double

  /// 1 or 2.
  public var power: Int
  public var taps: FeatureTaps?

  public init(
    beta: Double = 1000, power: Int = 2,
    taps: FeatureTaps = FeatureTaps(student: .stages, teacher: .stages)
  ) {
    precondition(power == 1 || power == 2, "attention maps are of power 1 or 2")
    self.beta = beta
    self.power = power
    self.taps = taps
  }

  public var name: String { "at" }
  public var weight: Double { beta }

  public func addLoss(
    of pairs: [FeaturePair], to context: inout LossContext
  ) throws -> ValueID {
    var losses: [ValueID] = []
    for (index, pair) in pairs.enumerated() {
      let aligned = context.aligned(pair, name: "at/\(index)")
      losses.append(
        context.meanSquare(
          of: attention(aligned.student, "at/\(index)/student", in: &context),
          less: attention(aligned.teacher, "at/\(index)/teacher", in: &context),
          name: "at/\(index)"))
    }
    return context.sum(losses, name: "at")
  }

  /// The map, `[N, 1, H, W]`, each sample's of unit length.
  private func attention(
    _ map: Feature, _ name: String, in context: inout LossContext
  ) -> Feature {
    let channels = map.shape[1]
    let powers =
      power == 1
      ? context.magnitude(of: map.value, name: name)
      : context.add(Binary(.multiply), [map.value, map.value], name: "\(name)/square")
    let shares = context.network.graph.addConstant(
      Tensor([Float](repeating: 1 / Float(channels), count: channels), shape: [1, channels, 1, 1]),
      name: "\(name)/shares")
    let mean = context.add(Conv(), [powers, shares], name: "\(name)/mean")
    return Feature(
      value: context.add(RowNormalization(), [mean], name: "\(name)/attention"),
      shape: [map.shape[0], 1] + map.shape.dropFirst(2))
  }
}

extension AttentionTransfer {
  static let entry = DistillationLosses.Entry(
    MethodCard(
      name: "at", summary: "Attention transfer: where the teacher's activations are strong.",
      paper: "Zagoruyko, Komodakis, Paying More Attention to Attention, 2017",
      shrinks: "the network, by training a smaller one", speedsUp: "the student is the smaller one",
      options: [
        MethodOption("beta", standard: "1000", accepted: "a number from 0", summary: "weight"),
        MethodOption(
          "p", standard: "2", accepted: "1 or 2", summary: "power of the activations"),
      ] + FeatureTaps.options(standard: "stages"))
  ) { options throws(CompressionError) in
    AttentionTransfer(
      beta: try options.number("beta", in: 0...1e12), power: try options.integer("p", in: 1...2),
      taps: try FeatureTaps(options))
  }
}
