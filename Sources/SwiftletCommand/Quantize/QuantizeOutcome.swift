// SPDX-License-Identifier: Apache-2.0
import Reporting
import Swiftlet

/// What is known of a network on one side of the table.
struct NetworkFigures {
  var bytes = 0
  var parameters = 0
  var integerShare = 0.0
  var score: Evaluation?
  var latency: Latency?
  var profile: [StepTiming] = []
  var peakMemoryBytes: Int?
}

/// A layer of the quantized network and what quantization did to it.
struct LayerOutcome {
  var name: String
  var kind: String
  var macs: Int
  var isInteger: Bool
  var signalToNoise: Double?
  var rangeKept: Double?
  var cause = ""
  var mend = ""
}

/// The allowed loss of top-1 and whether it was kept.
struct AccuracyGoal {
  /// In points.
  var allowed: Double
  var lost: Double
  var restored: [String]

  // Scores are whole samples: a loss equal to what is allowed meets the goal despite rounding.
  var isMet: Bool { lost <= allowed + 1e-9 }
}

/// All that `quantize` did and measured.
struct QuantizeOutcome {
  var model: String
  var output: String
  var options: QuantizationOptions
  var recipe: [String]
  var preprocessingWords = ""
  var preprocessing: Preprocessing?
  var machine: Machine
  var seed: UInt64
  var threads: Int
  var calibrationCount = 0
  /// The samples that were measured: `10,000 test images`.
  var measuredOn = ""
  var before = NetworkFigures()
  var after = NetworkFigures()
  var layers: [LayerOutcome] = []
  var written: WrittenNetwork
  var goal: AccuracyGoal?
  var seconds = 0.0
  var command = ""
}
