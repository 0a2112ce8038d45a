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
  /// Whether its products are of integer codes.
  var isInteger: Bool
  /// What is known of the damage, for layers that were quantized.
  var damage: LayerReport?

  /// How it is stored, in words.
  var storage: String {
    guard let damage else { return isInteger ? "int8" : "float" }
    let weights = "int\(damage.weightBits)"
    return damage.weightBits == damage.activationBits || !isInteger
      ? weights : "\(weights), activations of \(damage.activationBits) bits"
  }

  /// The option that would mend it, as the command spells it.
  var remedy: String? { damage?.remedy }
}

/// The allowed loss of top-1 and whether it was kept.
struct AccuracyGoal {
  /// In points.
  var allowed: Double
  var lost: Double
  /// Points above what is allowed.
  var gap: Double
  /// Layers that went back to float.
  var restored: [String]
  /// Layers that got 16 bits.
  var widened: [String]
  /// Networks that were measured.
  var attempts: Int

  var isMet: Bool { gap <= 0 }
}

/// All that `quantize` did and measured.
struct QuantizeOutcome {
  var model: String
  var output: String
  /// The name of the model's file.
  var title: String
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
  var quantization: QuantizationReport?
  var written: WrittenNetwork
  var goal: AccuracyGoal?
  var seconds = 0.0
  var command = ""
}
