// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
package import Reporting

/// The command `swiftlet train`.
package struct TrainCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a network of the zoo, or an ONNX file further.",
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

  @Option(
    help: ArgumentHelp("What is made small: cross_entropy, mse or kl.", valueName: "name"))
  package var loss: String?

  @OptionGroup package var arguments: TrainArguments
  @OptionGroup package var architecture: ArchitectureArguments
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
    if arch == nil { try architecture.checkUnused(without: "--arch") }
  }

  private func request() throws -> TrainRequest {
    var request = try arguments.request(
      model: model, preprocessing: preprocessing, common: common
    ) { kind in
      try recipe.resolved(
        seed: common.givenSeed, standardRate: model == nil ? nil : "0.001", kind: kind, loss: loss)
    }
    request.zoo = arch.map { architecture.zoo($0) }
    return request
  }

  package func run(on console: Console) throws {
    let view = try finished(on: console)
    try console.object(view.json)
  }

  /// Trains, writes and says all but the object of `--json`.
  func finished(on console: Console) throws -> TrainView { try request().finished(on: console) }
}
