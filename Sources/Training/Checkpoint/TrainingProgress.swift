// SPDX-License-Identifier: Apache-2.0

/// Where a run of training stands, beside the values of its variables.
struct TrainingProgress: Codable, Equatable {
  /// Updates made.
  var step = 0
  /// The epoch that is under way, from 0.
  var epoch = 0
  /// Batches of that epoch that are done.
  var batch = 0
  var meter = EpochMeter()
  var history: [EpochReport] = []
  /// The best epoch on the validation split so far.
  var best: EpochReport?
  /// Evaluations since then.
  var evaluationsWithoutGain = 0
  /// Whether nothing is left to do: the network's file is the result.
  var isComplete = false
  var wasStoppedEarly = false
  /// Scores of the result, once there is one.
  var finalScores: FinalScores?
}

/// Scores of a network at the end of training.
struct FinalScores: Codable, Equatable {
  var validation: Score?
  var test: Score?
}

/// Sums over the batches of an epoch.
struct EpochMeter: Codable, Equatable {
  var loss = 0.0
  var batches = 0
  var correct = 0
  var samples = 0
  /// Sums of the loss terms, where there are several.
  var terms: [String: Double]?

  /// Means of the loss terms.
  var meanTerms: [String: Double]? {
    terms?.mapValues { batches > 0 ? $0 / Double(batches) : 0 }
  }

  var meanLoss: Double { batches > 0 ? loss / Double(batches) : 0 }
  var top1: Double { samples > 0 ? Double(correct) / Double(samples) : 0 }
}

/// What a checkpoint says about itself.
struct CheckpointHeader: Codable, Equatable {
  /// Of this structure.
  var format = 1
  /// The same text stands in the network's file: both files are of the same moment.
  var generation: String
  /// Tells runs apart that began with other weights.
  var run: String
  var recipe: TrainingRecipe
  var data: DataShape
  var progress: TrainingProgress

  /// What must be the same for batches to be the same.
  struct DataShape: Codable, Equatable {
    var batchesPerEpoch: Int
    var batchSize: Int
    var classCount: Int
    var sampleShape: [Int]
  }
}
