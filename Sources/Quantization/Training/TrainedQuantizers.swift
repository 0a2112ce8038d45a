// SPDX-License-Identifier: Apache-2.0
public import CompressionCore

/// The quantizers that there are for training.
public enum TrainedQuantizers {
  public static let family = MethodFamily<any TrainedQuantizer>(
    "quantizer for training",
    [
      LearnedStepSize.entry, LearnedStepAndOffset.entry, ParameterizedClipping.entry,
      DoReFaRounding.entry, LearnedInterval.entry, MinimumMaximumRounding.entry,
      LogarithmicRounding.entry,
    ])
}
