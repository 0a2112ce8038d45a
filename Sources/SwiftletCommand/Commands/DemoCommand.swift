// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
import Foundation
package import Reporting
import Swiftlet

/// The command `swiftlet demo`.
package struct DemoCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Draws data, trains a small network, quantizes it.",
    usage: """
      swiftlet demo --output-dir demo/
      swiftlet demo --output-dir demo/ --data-only
      """,
    discussion: """
      The data are drawn: ten classes of textured shapes in colour, 32 × 32 pixels, with noise, \
      clutter and something in front, in the form of CIFAR-10's binary batches. So the accuracy is \
      measured, not made up, and nothing is downloaded. Each command is shown as one would type it.
      """)

  @Option(help: ArgumentHelp("Where everything goes.", valueName: "dir"))
  package var outputDir: String

  @Option(help: ArgumentHelp("Pictures to train on.", valueName: "n"))
  package var samples = 20_000

  @Option(help: ArgumentHelp("Pictures to measure on.", valueName: "n"))
  package var testSamples = 2_000

  @Option(help: ArgumentHelp("Passes over the pictures to train on.", valueName: "n"))
  package var epochs = 12

  @Flag(help: "Draw the data set and stop.")
  package var dataOnly = false

  @OptionGroup package var common: CommonOptions

  package init() {}

  package func validate() throws {
    guard (100...1_000_000).contains(samples) else {
      throw ValidationError("--samples \(samples): accepted: 100…1000000")
    }
    guard (10...1_000_000).contains(testSamples) else {
      throw ValidationError("--test-samples \(testSamples): accepted: 10…1000000")
    }
    guard (1...10_000).contains(epochs) else {
      throw ValidationError("--epochs \(epochs): accepted: 1…10000")
    }
  }

  private var data: String { outputDir + "/data" }
  private var network: String { outputDir + "/model.onnx" }

  package func run(on console: Console) throws {
    try draw(on: console)
    var object: JSONValue = [
      "data": .string(data), "samples": .integer(samples), "test_samples": .integer(testSamples),
      "classes": .array(DrawnShapes.classNames.map { .string($0) }),
      "seed": .integer(Int(clamping: common.seed)),
    ]
    if dataOnly {
      try console.say(
        "Next", "swiftlet train --arch resnet8 --data \(data) -o \(outputDir)/model.onnx")
      return try console.object(object)
    }
    let training = trainingArguments
    let quantizing = quantizingArguments
    try console.say("\n$ swiftlet " + training.joined(separator: " "))
    object["train"] = try TrainCommand.parse(training.dropFirst() + passedOn)
      .finished(on: console).json
    try console.say("\n$ swiftlet " + quantizing.joined(separator: " "))
    object["quantize"] = try QuantizeCommand.parse(quantizing.dropFirst() + passedOn)
      .finished(on: console).json
    try console.object(object)
  }

  private func draw(on console: Console) throws {
    do {
      try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
    } catch {
      throw CommandError(
        "\(data): the folder cannot be made", reasons: [error.localizedDescription])
    }
    let progress = console.progress("Drawing", total: samples + testSamples, unit: "pictures")
    try DrawnShapes.write(
      trainingCount: samples, testCount: testSamples, seed: common.seed, to: data,
      progress: progress.update(to:))
    progress.finish()
    try console.say(
      "Data",
      "\(data): \(Format.integer(samples)) pictures to train on, \(Format.integer(testSamples)) "
        + "to measure on; ten classes: " + DrawnShapes.classNames.joined(separator: ", "))
  }

  private var trainingArguments: [String] {
    [
      "train", "--arch", "resnet8", "--data", data, "--epochs", "\(epochs)", "--batch", "64",
      "--schedule", "one_cycle", "--lr", "0.2", "--weight-decay", "0.0005", "--nesterov",
      "--precision", "bf16", "--augment", "pad-crop=2,flip", "-o", network, "--report",
      outputDir + "/training.html",
    ]
  }

  private var quantizingArguments: [String] {
    [
      "quantize", network, "--data", data, "-o", outputDir + "/model.int8.onnx", "--report",
      outputDir + "/report.html",
    ]
  }

  /// The options of every command that were given to this one.
  private var passedOn: [String] {
    var options: [String] = []
    if let threads = common.threads { options += ["--threads", "\(threads)"] }
    if let seed = common.givenSeed { options += ["--seed", "\(seed)"] }
    if common.quiet { options.append("--quiet") }
    if common.verbose { options.append("--verbose") }
    if common.json { options.append("--json") }
    return options
  }
}
