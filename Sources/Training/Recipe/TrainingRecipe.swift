// SPDX-License-Identifier: Apache-2.0
public import DataIO

/// Everything that decides what training does to a network, beside the data.
///
/// The same recipe, network and data give the same weights to the last bit, whatever the number of
/// threads. Decoding is strict: unknown fields and wrong values are errors; fields that are left out
/// keep their defaults.
public struct TrainingRecipe: Sendable, Equatable {
  /// What steps compute in; weights and their updates are float32 in both.
  public enum Precision: String, Sendable, CaseIterable, Codable { case fp32, bf16 }

  /// What is made small.
  public enum Loss: String, Sendable, CaseIterable, Codable {
    /// Mean over the batch of `−Σ target · log softmax(score)`.
    case crossEntropy = "cross_entropy"
    /// Mean over batch and classes of `(score − target)²`.
    case meanSquared = "mse"
    /// Mean over the batch of `Σ target · (log target − log softmax(score))`.
    case kullbackLeibler = "kl"
  }

  public var epochs = 10

  /// Samples in one batch.
  public var batchSize = 128

  /// Batches whose gradients are averaged for one update.
  public var accumulation = 1
  public var precision = Precision.fp32

  /// Of everything random: initial weights, order and alteration of samples, dropout.
  public var seed: UInt64 = 1
  public var optimizer = OptimizerOptions.sgd()
  public var learningRate = 0.1
  public var schedule = LearningRateSchedule(.cosine(end: 0))
  public var weightDecay = 1e-4

  /// Whether scales and biases of normalizations, and biases of layers, decay as well.
  public var decaysNormalizationAndBias = false
  public var loss = Loss.crossEntropy

  /// Share of each target that is spread evenly over all classes.
  public var labelSmoothing = 0.0

  /// The greatest norm of all gradients together; `nil` leaves them as they are.
  public var gradientClipping: Double?

  /// Averages of the weights over the updates, evaluated and written in place of the weights;
  /// `nil` for none.
  public var averaging: WeightAveraging?

  /// Whether batch norms keep the statistics that they have, as for fine-tuning on little data.
  public var freezesStatistics = false

  /// Training batches from which the statistics of batch norms are computed anew in the end; 0
  /// keeps those that training left.
  public var reestimationBatches = 0

  /// Evaluations on the validation split without improvement after which training stops; `nil`
  /// trains to the end.
  ///
  /// The best weights are kept.
  public var earlyStopPatience: Int?

  /// Random changes of the training images.
  public var augmentation = AugmentationOptions()

  /// Share of the training samples that is set aside for validation.
  public var validationShare = 0.0

  /// Epochs from one evaluation to the next; the last epoch is always evaluated.
  public var evaluationInterval = 1

  public init() {}

  /// How the training split is loaded under this recipe.
  public var loaderOptions: LoaderOptions {
    LoaderOptions(
      batchSize: batchSize, seed: seed, augmentation: augmentation, labelSmoothing: labelSmoothing)
  }
}

/// An exponential average of weights over the updates.
public struct WeightAveraging: Sendable, Equatable {
  /// The share of the average that one update keeps.
  public var decay: Double

  /// Lets the decay rise with the number of updates `t` as `min(decay, (1 + t) / (10 + t))`, so that
  /// the first weights are soon forgotten.
  public var warmsUp: Bool

  public init(decay: Double = 0.999, warmsUp: Bool = true) {
    self.decay = decay
    self.warmsUp = warmsUp
  }

  /// The decay of an update.
  func decay(at step: Int) -> Double {
    warmsUp ? min(decay, Double(1 + step) / Double(10 + step)) : decay
  }
}
