// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
import Swiftlet
import Training

/// What every command that trains takes: data, places for what it writes, how long it runs.
package struct TrainArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Labelled samples to train on.", valueName: "path"))
  package var data: String

  @Option(
    help: ArgumentHelp("Samples to measure (default: the test split of --data).", valueName: "path")
  )
  package var evaluateOn: String?

  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp("The file to write.", valueName: "trained.onnx"))
  package var output: String

  @Option(
    help: ArgumentHelp(
      "Folder of checkpoints (default: beside the output, NAME.checkpoint).", valueName: "dir"))
  package var checkpoint: String?

  @Option(
    help: ArgumentHelp(
      "Seconds between checkpoints (default: 300); the end of an epoch has one too.",
      valueName: "s"))
  package var checkpointEvery: Double = 300

  @Flag(help: "Go on from the checkpoint that is there.")
  package var resume = false

  @Option(help: ArgumentHelp("Stop after so many updates.", valueName: "n"))
  package var steps: Int?

  @Option(help: ArgumentHelp("Write an HTML page with the curves.", valueName: "file"))
  package var report: String?

  @Option(help: ArgumentHelp("Write event files for TensorBoard.", valueName: "dir"))
  package var tensorboard: String?

  @Option(help: ArgumentHelp("Write a line for each epoch.", valueName: "file.csv"))
  package var log: String?

  package init() {}

  package func validate() throws {
    guard checkpointEvery >= 0 else {
      throw ValidationError("--checkpoint-every \(checkpointEvery): accepted: 0 or more seconds")
    }
    if let steps, steps < 1 { throw ValidationError("--steps \(steps): accepted: 1 or more") }
  }

  /// The request of a command with these options.
  ///
  /// - Parameters:
  ///   - model: The file to train, if there is one.
  ///   - recipe: How, once the kind of the data is known.
  func request(
    model: String?, preprocessing: PreprocessingArguments, common: CommonOptions,
    recipe: @escaping (DatasetKind) throws -> TrainingRecipe
  ) throws -> TrainRequest {
    var request = TrainRequest(
      model: model, data: data, evaluateOn: evaluateOn, output: output,
      checkpointPath: TrainRequest.checkpointPath(folder: checkpoint, output: output),
      checkpointEvery: checkpointEvery, resumes: resume, steps: steps, report: report,
      tensorboard: tensorboard, log: log, common: common, recipe: recipe)
    request.preprocessing = try preprocessing.options()
    return request
  }
}

/// The shape of a network of the zoo.
package struct ArchitectureArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp("Pictures that a network of the zoo takes.", valueName: "CxHxW"))
  package var input: String?

  @Option(
    help: ArgumentHelp(
      "Classes of a network of the zoo (default: those of the data).", valueName: "n"))
  package var classes: Int?

  @Option(help: ArgumentHelp("Width multiplier of a network of the zoo.", valueName: "x"))
  package var width: Double?

  package init() {}

  package func validate() throws {
    if let input, InputShape(input) == nil {
      throw ValidationError("--input \(input): accepted: CxHxW, such as 3x32x32")
    }
  }

  /// A network of the zoo with these options.
  func zoo(_ name: String) -> TrainRequest.Zoo {
    TrainRequest.Zoo(
      name: name, input: input.flatMap { InputShape($0) }, classes: classes, width: width)
  }

  /// - Parameter option: The option that names the network of the zoo.
  func checkUnused(without option: String) throws {
    for (name, isGiven) in [
      ("--input", input != nil), ("--classes", classes != nil), ("--width", width != nil),
    ] where isGiven {
      throw ValidationError("\(name) is for \(option); a file has its own shape")
    }
  }
}
