// SPDX-License-Identifier: Apache-2.0
import Reporting
import Swiftlet
import Training

/// All that `train` did and measured.
struct TrainOutcome {
  var name: String
  var request: TrainRequest
  var recipe: TrainingRecipe
  var recipeLines: [String]
  var dataWords: String
  var preprocessingWords: String
  var machine: Machine
  var summary: NetworkSummary
  var bytes: Int
  var result: TrainingResult
  /// Quantization as it took part, if it did.
  var quantization: TrainedQuantization?
  /// What the file holds.
  var network: Graph
  /// The network before training, in the form of `PassPipeline.trainable`.
  var original: Graph
  var dataset: TrainData
  var written: WrittenNetwork
  /// The test score of a given network before training.
  var before: Score?
  var seconds: Double
  var commandLine: String
  var notes: TrainNotes
}
