// SPDX-License-Identifier: Apache-2.0
import CompressionCore
public import GraphIR
public import Training

/// Samples that are alike to the teacher are to be alike to the student.
///
/// Source: Tung, Mori, "Similarity-Preserving Knowledge Distillation", 2019, equations 1 to 4. With
/// the features of a batch of b samples as rows of Q, and G the rows of `Q Qᵀ` at unit length, the
/// loss is `‖G_teacher − G_student‖² / b²`, summed over the pairs. Widths need not be equal. It
/// depends on the size of the batch.
public struct SimilarityPreserving: DistillationLoss {
  public var beta: Double
  public var taps: FeatureTaps?

  public init(
    beta: Double = 3000, taps: FeatureTaps = FeatureTaps(student: .last, teacher: .last)
  ) {
    self.beta = beta
    self.taps = taps
  }

  public var name: String { "sp" }
  public var weight: Double { beta }

  public func addLoss(
    of pairs: [FeaturePair], to context: inout LossContext
  ) throws -> ValueID {
    var losses: [ValueID] = []
    for (index, pair) in pairs.enumerated() {
      losses.append(
        context.meanSquare(
          of: similarities(pair.student, "sp/\(index)/student", in: &context),
          less: similarities(pair.teacher, "sp/\(index)/teacher", in: &context),
          name: "sp/\(index)"))
    }
    return context.sum(losses, name: "sp")
  }

  /// `[N, N]`, rows of unit length.
  private func similarities(
    _ map: Feature, _ name: String, in context: inout LossContext
  ) -> Feature {
    let rows = context.rows(map, name: name)
    let products = context.add(
      Gemm(transposesB: true), [rows.value, rows.value], name: "\(name)/products")
    return Feature(
      value: context.add(RowNormalization(), [products], name: "\(name)/similarities"),
      shape: [rows.shape[0], rows.shape[0]])
  }
}

extension SimilarityPreserving {
  static let entry = DistillationLosses.Entry(
    MethodCard(
      name: "sp", summary: "Similarity preserving: which samples of a batch are alike.",
      paper: "Tung, Mori, Similarity-Preserving Knowledge Distillation, 2019",
      shrinks: "the network, by training a smaller one", speedsUp: "the student is the smaller one",
      options: [
        MethodOption("beta", standard: "3000", accepted: "a number from 0", summary: "weight")
      ] + FeatureTaps.options(standard: "last"))
  ) { options throws(CompressionError) in
    SimilarityPreserving(
      beta: try options.number("beta", in: 0...1e12), taps: try FeatureTaps(options))
  }
}
