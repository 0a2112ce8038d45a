// SPDX-License-Identifier: Apache-2.0
public import CompressionCore

/// The registry of losses that compare a student with its teacher.
public enum DistillationLosses {
  public typealias Entry = MethodFamily<any DistillationLoss>.Entry

  public static let family = MethodFamily<any DistillationLoss>(
    "distillation loss",
    [
      SoftTargets.entry,
      AttentionTransfer.entry,
      SimilarityPreserving.entry,
      FactorTransfer.entry,
      Hints.entry,
    ])
}
