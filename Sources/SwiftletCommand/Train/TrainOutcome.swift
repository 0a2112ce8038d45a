// SPDX-License-Identifier: Apache-2.0
import Reporting
import Swiftlet
import Training

/// All that `train` did and measured.
struct TrainOutcome {
  var name: String
  var command: TrainCommand
  var recipe: TrainingRecipe
  var recipeLines: [String]
  var dataWords: String
  var preprocessingWords: String
  var machine: Machine
  var summary: NetworkSummary
  var bytes: Int
  var result: TrainingResult
  var written: WrittenNetwork
  /// The test score of a given network before training.
  var before: Score?
  var seconds: Double
  var commandLine: String
}
