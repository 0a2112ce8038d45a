// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
import Foundation
import ModelZoo
package import Reporting
import Swiftlet
import Training

/// The command `swiftlet train`.
package struct TrainCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a network of the zoo, or trains an ONNX file further.",
    usage: """
      swiftlet train --arch resnet20 --data cifar10/ --epochs 160 -o resnet20.onnx
      swiftlet train --arch lenet5 --data mnist/ --recipe Recipes/lenet5-mnist.yaml -o lenet5.onnx
      swiftlet train --model any.onnx --data photos/ --lr 0.001 --epochs 5 -o tuned.onnx
      """,
    discussion: """
      Data is a folder with CIFAR binary batches, IDX files or images, or an .npz with x and y. \
      The training split is trained on; the test split, or --evaluate-on, is measured and changes \
      nothing.
      Ctrl-C saves; --resume goes on, to the same weights as without the break. The same seed \
      gives the same weights for any number of threads.
      """)

  @Option(help: ArgumentHelp("A network of the zoo (`swiftlet zoo` lists all).", valueName: "name"))
  package var arch: String?

  @Option(help: ArgumentHelp("A float network to train further.", valueName: "model.onnx"))
  package var model: String?

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

  @Option(help: ArgumentHelp("Pictures that --arch takes.", valueName: "CxHxW"))
  package var input: String?

  @Option(help: ArgumentHelp("Classes of --arch (default: those of the data).", valueName: "n"))
  package var classes: Int?

  @Option(help: ArgumentHelp("Width multiplier of --arch.", valueName: "x"))
  package var width: Double?

  @OptionGroup(title: "Recipe") package var recipe: RecipeArguments
  @OptionGroup(title: "Preprocessing") package var preprocessing: PreprocessingArguments
  @OptionGroup package var common: CommonOptions

  package init() {}

  package func validate() throws {
    guard (arch == nil) != (model == nil) else {
      throw ValidationError(
        arch == nil
          ? "--arch NAME or --model FILE is missing: say which network to train"
          : "--arch and --model: one of them says which network to train")
    }
    if arch == nil {
      for (name, isGiven) in [
        ("--input", input != nil), ("--classes", classes != nil), ("--width", width != nil),
      ] where isGiven {
        throw ValidationError("\(name) is for --arch; a file has its own shape")
      }
    }
    if let input, InputShape(input) == nil {
      throw ValidationError("--input \(input): accepted: CxHxW, such as 3x32x32")
    }
    guard checkpointEvery >= 0 else {
      throw ValidationError("--checkpoint-every \(checkpointEvery): accepted: 0 or more seconds")
    }
    if let steps, steps < 1 { throw ValidationError("--steps \(steps): accepted: 1 or more") }
  }

  private func request() throws -> TrainRequest {
    var request = TrainRequest(
      model: model, data: data, evaluateOn: evaluateOn, output: output,
      checkpointPath: TrainRequest.checkpointPath(folder: checkpoint, output: output),
      checkpointEvery: checkpointEvery, resumes: resume, steps: steps, report: report,
      tensorboard: tensorboard, log: log, common: common,
      recipe: { kind in
        try recipe.resolved(
          seed: common.givenSeed, standardRate: model == nil ? nil : "0.001", kind: kind)
      })
    if let arch {
      request.zoo = TrainRequest.Zoo(
        name: arch, input: input.flatMap { InputShape($0) }, classes: classes, width: width)
    }
    request.preprocessing = try preprocessing.options()
    return request
  }

  package func run(on console: Console) throws {
    let view = try finished(on: console)
    try console.object(view.json)
  }

  /// Trains, writes and says all but the object of `--json`.
  func finished(on console: Console) throws -> TrainView {
    for path in [output, report, log].compactMap({ $0 }) {
      try OutputFile.check(path, isNot: model, "the network that is given")
    }
    let flag = InterruptFlag()
    let interruption = Interruption(kept: "nothing was written", asking: flag)
    let outcome = try TrainRun(request: try request(), console: console, flag: flag).outcome()
    withExtendedLifetime(interruption) {}
    let view = TrainView(outcome: outcome)
    try console.say()
    try console.show(view.table)
    try console.say()
    if let report {
      try AtomicFile.write(try TrainPage(outcome: outcome, view: view).report.html(), to: report)
    }
    for (label, text) in view.conclusion(report: report) { try console.say(label, text) }
    // Unwrapped, so that a command can be copied.
    try console.say("Next            \(view.next)")
    return view
  }
}
