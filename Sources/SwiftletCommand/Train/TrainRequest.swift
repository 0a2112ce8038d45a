// SPDX-License-Identifier: Apache-2.0
import Swiftlet
import Training

/// What is to be trained, on what, how, and where results go: the same for every command that
/// trains.
struct TrainRequest {
  /// A network of the zoo and its options.
  struct Zoo {
    var name: String
    var input: InputShape?
    var classes: Int?
    var width: Double?
  }

  /// The file of a network; `nil` for one of the zoo.
  var model: String?
  var zoo: Zoo?
  var data: String
  var evaluateOn: String?
  var output: String

  /// The network file of the checkpoint; its state lies beside it.
  var checkpointPath: String
  var checkpointEvery = 300.0
  var resumes = false
  var steps: Int?
  var report: String?
  var tensorboard: String?
  var log: String?
  var preprocessing = PreprocessingOptions()
  var common: CommonOptions

  /// How, once the kind of the data is known.
  var recipe: (DatasetKind) throws -> TrainingRecipe

  /// Quantization as a part of training, if it is wanted.
  var quantization: TrainedQuantizationOptions?

  /// What else takes part.
  var addition: (any TrainAddition)?

  /// `resnet20.checkpoint/model.onnx` in a folder, or beside `resnet20.onnx`.
  static func checkpointPath(folder: String?, output: String) -> String {
    let stem = output.hasSuffix(".onnx") ? String(output.dropLast(5)) : output
    return (folder ?? stem + ".checkpoint") + "/model.onnx"
  }
}
