// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import Training

@Suite("A training recipe")
struct TrainingRecipeTests {
  private func decoded(_ json: String) throws -> TrainingRecipe {
    try JSONDecoder().decode(TrainingRecipe.self, from: Data(json.utf8))
  }

  @Test("without fields has the defaults")
  func empty() throws {
    #expect(try decoded("{}") == TrainingRecipe())
  }

  @Test("takes every field")
  func all() throws {
    let recipe = try decoded(
      """
      {"epochs": 3, "batch_size": 32, "accumulation": 2, "precision": "bf16", "seed": 7,
       "optimizer": {"kind": "sgd", "momentum": 0.5, "nesterov": true}, "learning_rate": 0.2,
       "schedule": {"kind": "multi_step", "epochs": [1, 2], "factor": 0.2, "warmup_epochs": 0.5},
       "weight_decay": 0.0005, "decay_norm_and_bias": true, "loss": "mse",
       "label_smoothing": 0.1, "gradient_clipping": 2, "ema": {"decay": 0.99, "warmup": false},
       "freeze_statistics": true, "reestimation_batches": 10, "early_stop_patience": 4,
       "augmentation": {"pad_crop": 4, "horizontal_flip": true}, "validation_share": 0.1,
       "evaluation_interval": 2}
      """)
    #expect(recipe.epochs == 3)
    #expect(recipe.batchSize == 32)
    #expect(recipe.accumulation == 2)
    #expect(recipe.precision == .bf16)
    #expect(recipe.seed == 7)
    #expect(recipe.optimizer == .sgd(momentum: 0.5, usesNesterov: true))
    #expect(recipe.learningRate == 0.2)
    #expect(
      recipe.schedule
        == LearningRateSchedule(.multiStep(epochs: [1, 2], factor: 0.2), warmUpEpochs: 0.5))
    #expect(recipe.weightDecay == 0.0005)
    #expect(recipe.decaysNormalizationAndBias)
    #expect(recipe.loss == .meanSquared)
    #expect(recipe.labelSmoothing == 0.1)
    #expect(recipe.gradientClipping == 2)
    #expect(recipe.averaging == WeightAveraging(decay: 0.99, warmsUp: false))
    #expect(recipe.freezesStatistics)
    #expect(recipe.reestimationBatches == 10)
    #expect(recipe.earlyStopPatience == 4)
    #expect(recipe.augmentation == .cifar)
    #expect(recipe.validationShare == 0.1)
    #expect(recipe.evaluationInterval == 2)
    let again = try JSONEncoder().encode(recipe)
    #expect(try JSONDecoder().decode(TrainingRecipe.self, from: again) == recipe)
  }

  @Test(
    "decodes every optimizer",
    arguments: [
      (#"{"kind": "adam"}"#, OptimizerOptions.adam()),
      (#"{"kind": "adamw", "beta2": 0.99}"#, .adamW(beta2: 0.99)),
      (
        #"{"kind": "rmsprop", "smoothing": 0.9, "momentum": 0.9}"#,
        .rmsProp(smoothing: 0.9, momentum: 0.9)
      ),
      (#"{}"#, .sgd()),
    ])
  func optimizers(_ json: String, _ expected: OptimizerOptions) throws {
    let optimizer = try JSONDecoder().decode(OptimizerOptions.self, from: Data(json.utf8))
    #expect(optimizer == expected)
    let again = try JSONEncoder().encode(optimizer)
    #expect(try JSONDecoder().decode(OptimizerOptions.self, from: again) == expected)
  }

  /// Wrong recipes, and what their errors must name.
  @Test(
    "refuses what it does not know, by name",
    arguments: [
      (#"{"epoch": 3}"#, ["epoch", "epochs, batch_size"]),
      (#"{"epochs": "many"}"#, ["epochs", "\"many\"", "whole number"]),
      (#"{"epochs": 1.5}"#, ["epochs", "1.5", "whole number"]),
      (#"{"epochs": -1}"#, ["epochs", "-1", "from 0"]),
      (#"{"batch_size": 0}"#, ["batch_size", "0", "from 1"]),
      (#"{"precision": "fp8"}"#, ["precision", "\"fp8\"", "fp32, bf16"]),
      (#"{"loss": "hinge"}"#, ["loss", "cross_entropy, mse, kl"]),
      (#"{"learning_rate": 0}"#, ["learning_rate", "above 0"]),
      (#"{"label_smoothing": 1}"#, ["label_smoothing", "below 1"]),
      (#"{"optimizer": {"kind": "lion"}}"#, ["optimizer.kind", "\"lion\"", "sgd, adam"]),
      (
        #"{"optimizer": {"kind": "sgd", "beta1": 0.9}}"#,
        ["optimizer.beta1", "kind, momentum, nesterov"]
      ),
      (#"{"optimizer": {"kind": "sgd", "momentum": 1}}"#, ["optimizer.momentum", "below 1"]),
      (
        #"{"optimizer": {"kind": "sgd", "momentum": 0, "nesterov": true}}"#,
        ["optimizer.nesterov", "false without momentum"]
      ),
      (#"{"optimizer": 5}"#, ["optimizer", "fields"]),
      (#"{"schedule": {"kind": "cosine", "epochs": 5}}"#, ["schedule.epochs", "kind, end"]),
      (#"{"schedule": {"kind": "one_cycle", "warmup_epochs": 1}}"#, ["schedule.warmup_epochs"]),
      (#"{"schedule": {"kind": "multi_step"}}"#, ["schedule.epochs", "rising list"]),
      (#"{"schedule": {"kind": "multi_step", "epochs": [5, 3]}}"#, ["schedule.epochs", "rising"]),
      (#"{"epochs": 2, "schedule": {"warmup_epochs": 3}}"#, ["schedule.warmup_epochs", "2"]),
      (#"{"ema": {"rate": 1}}"#, ["ema.rate", "decay, warmup"]),
      (#"{"ema": {"decay": 1}}"#, ["ema.decay", "below 1"]),
      (#"{"augmentation": {"pad_crop": -3}}"#, ["augmentation.pad_crop", "-3", "1024"]),
      (#"{"augmentation": {"flip": true}}"#, ["augmentation", "flip", "horizontal_flip"]),
      (#"{"early_stop_patience": 0}"#, ["early_stop_patience", "from 1"]),
    ])
  func refusals(_ json: String, _ words: [String]) throws {
    do {
      _ = try decoded(json)
      Issue.record("\(json) was taken")
    } catch {
      let refusal = try #require(TrainingError(in: error), "\(error)")
      for word in words { #expect(refusal.description.contains(word), "\(refusal)") }
    }
  }
}
