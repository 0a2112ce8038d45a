// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
import Foundation
package import Reporting

/// The command `swiftlet distill`.
package struct DistillCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "distill",
    abstract: "Trains a small network with a large one as teacher.",
    usage: """
      swiftlet distill --teacher resnet56.onnx --student resnet20 --data cifar10/ -o r20.kd.onnx
      swiftlet distill --teacher resnet56.onnx --student resnet20 --data cifar10/ \\
        --loss kd:T=4,alpha=0.9 --loss at:beta=1000 --recipe Recipes/resnet20-cifar10.yaml \\
        -o r20.onnx
      swiftlet distill --teacher big.onnx --student small.onnx --data photos/ \\
        --loss at:student=/relu/,teacher=A+B -o s.onnx
      """,
    discussion: """
      The teacher runs beside the student on the same samples, as it is in inference, and is not \
      changed. kd leaves 1 − alpha to the labels, the other losses leave them as they are; losses \
      add up. `swiftlet methods` lists all losses, `swiftlet methods at` the options of one.
      Losses over features compare the ends of stages unless names or a /regular expression/ say \
      otherwise; what is compared is shown before training.
      Everything else is as with `swiftlet train`.
      """)

  @Option(
    help: ArgumentHelp("A network of the zoo, or a float network.", valueName: "name|model.onnx"))
  package var student: String

  @OptionGroup package var learning: TeacherArguments
  @OptionGroup package var arguments: TrainArguments
  @OptionGroup package var architecture: ArchitectureArguments
  @OptionGroup(title: "Recipe") package var recipe: RecipeArguments
  @OptionGroup(title: "Preprocessing") package var preprocessing: PreprocessingArguments
  @OptionGroup package var common: CommonOptions

  package init() {}

  package func validate() throws {
    guard learning.teacher != nil else {
      throw ValidationError("--teacher FILE is missing: say which network to learn from")
    }
    if isFile { try architecture.checkUnused(without: "--student NAME") }
  }

  /// Whether the student is a file.
  private var isFile: Bool {
    student.hasSuffix(".onnx") || FileManager.default.fileExists(atPath: student)
  }

  package func run(on console: Console) throws {
    var request = try arguments.request(
      model: isFile ? student : nil, preprocessing: preprocessing, common: common
    ) { kind in
      try recipe.resolved(
        seed: common.givenSeed, standardRate: isFile ? "0.001" : nil, kind: kind)
    }
    if !isFile { request.zoo = architecture.zoo(student) }
    request.addition = try learning.addition()
    let view = try request.finished(on: console)
    try console.object(view.json)
  }
}
