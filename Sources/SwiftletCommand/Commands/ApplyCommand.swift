// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
import Distillation
import Foundation
package import Reporting
import Swiftlet
import Training

/// The command `swiftlet apply`.
package struct ApplyCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Does the steps of a recipe one after the other.",
    usage: """
      swiftlet apply recipe.yaml
      swiftlet apply Recipes/resnet20-cifar10-w4a4.yaml --model resnet20.onnx \\
        --data cifar10/ -o r20.onnx
      swiftlet apply Recipes/resnet20-cifar10-w2a2-kd.yaml --model resnet20.onnx \\
        --teacher resnet56.onnx --data cifar10/ -o r20.onnx
      """,
    discussion: """
      What a step leaves is written beside the output as NAME.step1.onnx and so on; the last step \
      writes the output. --resume goes on from the checkpoints of the steps: those that are done \
      are not done again.

      Training with codes right behind training with codes goes on from the trained weights before \
      their rounding, so a recipe may lower the bits from step to step.
      """)

  @Argument(help: ArgumentHelp("A YAML file with a list of steps.", valueName: "recipe.yaml"))
  package var recipe: String

  @Option(help: ArgumentHelp("The network, in place of the recipe's.", valueName: "model.onnx"))
  package var model: String?

  @Option(help: ArgumentHelp("Labelled samples, in place of the recipe's.", valueName: "path"))
  package var data: String?

  @Option(
    help: ArgumentHelp("The network to learn from, in place of the recipe's.", valueName: "onnx"))
  package var teacher: String?

  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp("The file to write, in place of the recipe's.", valueName: "onnx"))
  package var output: String?

  @Flag(help: "Go on from the checkpoints that are there.")
  package var resume = false

  @OptionGroup(title: "Preprocessing") package var preprocessing: PreprocessingArguments
  @OptionGroup package var common: CommonOptions

  package init() {}

  package func run(on console: Console) throws {
    let plan = try RecipeFile(path: recipe).decoded(as: CompressionRecipe.self)
    func needed(_ given: String?, _ own: String?, _ option: String) throws -> String {
      guard let value = given ?? own else {
        throw CommandError(
          "\(recipe): nothing says what \(option) is",
          reasons: ["give --\(option), or \(option): in the recipe"], status: .wrongUsage)
      }
      return value
    }
    let chain = StepChain(
      data: try needed(data, plan.data, "data"), output: try needed(output, plan.output, "output"),
      resumes: resume, preprocessing: preprocessing, common: common, console: console)
    let teachers = try plan.steps.map { step in
      try step.distillation.map { options in
        DistillAddition(
          teacher: try ModelFile(try needed(teacher, options.teacher, "teacher")),
          choices: options.losses)
      }
    }
    if let teacher, teachers.allSatisfy({ $0 == nil }) {
      throw CommandError(
        "--teacher \(teacher): no step of \(recipe) learns from a network",
        reasons: ["accepted: steps such as train: {distillation: {losses: [kd]}}"],
        status: .wrongUsage)
    }
    var current = try needed(model, plan.model, "model")
    var objects: [JSONValue] = []
    for (index, step) in plan.steps.enumerated() {
      let isLast = index == plan.steps.count - 1
      try console.say("Step \(index + 1)/\(plan.steps.count)", step.words)
      let target = isLast ? chain.output : chain.intermediate(index + 1)
      if index > 0, step.trainsCodes, plan.steps[index - 1].trainsCodes {
        current = chain.trainedWeights(current)
        try console.say("Weights", "\(current): those of step \(index), before their rounding")
      }
      objects.append(
        try chain.apply(step, to: current, with: teachers[index], writing: target))
      try console.say()
      current = target
    }
    try console.object(["output": .string(chain.output), "steps": .array(objects)])
  }
}

extension CompressionRecipe.Step {
  /// The teacher's part, where the step has one.
  var distillation: DistillationOptions? {
    if case .train(let step) = self { step.distillation } else { nil }
  }

  /// Whether it trains with rounding.
  var trainsCodes: Bool {
    if case .train(let step) = self { step.quantization != nil } else { false }
  }

  /// What the step does, in a few words.
  var words: String {
    switch self {
    case .train(let step):
      var words = ["train"]
      if let quantization = step.quantization {
        words[0] += " with \(quantization.quantizer)"
        words.append("W\(quantization.weights)A\(quantization.activations)")
      }
      if let distillation = step.distillation {
        words += ["with a teacher"] + distillation.losses.map(\.description)
      }
      return (words + ["\(step.recipe.epochs) epochs"]).joined(separator: ", ")
    case .quantize(let options): return "quantize, " + (options.words.first ?? "")
    }
  }
}

/// Does steps of a recipe on files.
struct StepChain {
  let data: String
  let output: String
  let resumes: Bool
  let preprocessing: PreprocessingArguments
  let common: CommonOptions
  let console: Console

  private var stem: String {
    output.hasSuffix(".onnx") ? String(output.dropLast(5)) : output
  }

  /// The file that a step before the last leaves.
  func intermediate(_ number: Int) -> String { "\(stem).step\(number).onnx" }

  /// The network of real weights from which a file of codes was made by training.
  func trainedWeights(_ target: String) -> String {
    TrainRequest.checkpointPath(folder: nil, output: target)
  }

  func apply(
    _ step: CompressionRecipe.Step, to model: String, with teacher: DistillAddition?,
    writing target: String
  ) throws -> JSONValue {
    switch step {
    case .train(let step): try train(step, model, teacher, target)
    case .quantize(let options): try quantize(options, model, target)
    }
  }

  private func train(
    _ step: CompressionRecipe.TrainingStep, _ model: String, _ teacher: DistillAddition?,
    _ target: String
  ) throws -> JSONValue {
    var request = TrainRequest(
      model: model, data: data, output: target,
      checkpointPath: trainedWeights(target), resumes: resumes,
      common: common,
      recipe: { _ in
        var recipe = step.recipe
        recipe.seed = common.givenSeed ?? recipe.seed
        return recipe
      })
    request.preprocessing = try preprocessing.options()
    request.quantization = step.quantization
    request.addition = teacher
    if step.quantization != nil {
      return try QuantizeAwareRun(request: request, console: console).finished().json
    }
    try request.checkOutputs()
    let flag = InterruptFlag()
    let interruption = Interruption(kept: "the steps before are written", asking: flag)
    let outcome = try TrainRun(request: request, console: console, flag: flag).outcome()
    withExtendedLifetime(interruption) {}
    let view = TrainView(outcome: outcome)
    try console.show(view.table)
    return view.json
  }

  private func quantize(
    _ options: QuantizationOptions, _ model: String, _ target: String
  ) throws -> JSONValue {
    var arguments = [model, "--data", data, "-o", target]
    if let threads = common.threads { arguments += ["--threads", "\(threads)"] }
    if let seed = common.givenSeed { arguments += ["--seed", "\(seed)"] }
    var command = try QuantizeCommand.parse(arguments)
    command.preprocessing = preprocessing
    try options.validate()
    let outcome = try QuantizeRun(
      command: command, options: options, file: try ModelFile(model), console: console,
      interruption: Interruption(kept: "the steps before are written")
    ).outcome()
    let view = QuantizeView(outcome: outcome)
    try console.show(view.comparison.table)
    return view.json
  }
}
