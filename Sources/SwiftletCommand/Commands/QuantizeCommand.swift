// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
import Foundation
package import Reporting
import Swiftlet

/// The command `swiftlet quantize`.
package struct QuantizeCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "quantize",
    abstract: "Writes an 8-bit network and measures what it cost.",
    usage: """
      swiftlet quantize resnet20.onnx --data cifar10/ -o resnet20.int8.onnx --report report.html
      swiftlet quantize net.onnx --data photos/ --preprocess imagenet --max-drop 0.5 -o int8.onnx
      """,
    discussion: """
      Data is a folder with CIFAR binary batches, IDX files or images, or an .npz with x and y. \
      Ranges are measured on the training split where the set has splits; the result is measured \
      on the test split, or on samples that were not used for the ranges.
      Exit status 3: --max-drop could not be met; the closest network was written.
      """)

  @Argument(help: ArgumentHelp("The float network.", valueName: "model.onnx"))
  package var model: String

  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp("The file to write.", valueName: "int8.onnx"))
  package var output: String

  @Option(help: ArgumentHelp("Samples to measure ranges on.", valueName: "path"))
  package var data: String?

  @Option(
    help: ArgumentHelp(
      "Samples to measure the result on (default: the test split of --data).", valueName: "path"))
  package var evaluateOn: String?

  @Option(help: ArgumentHelp("Samples to measure ranges on, drawn with --seed.", valueName: "n"))
  package var samples = 300

  @Option(help: ArgumentHelp("Write an HTML page about the result.", valueName: "file"))
  package var report: String?

  @Option(
    help: ArgumentHelp(
      "Points of top-1 that may be lost; layers go back to float for it.",
      valueName: "points"))
  package var maxDrop: Double?

  @Option(
    help: ArgumentHelp(
      "Apply this many patches of the passes only, to find a bad one.",
      valueName: "n"))
  package var stopAfter: Int?

  @OptionGroup(title: "Method") package var method: QuantizeArguments
  @OptionGroup(title: "Preprocessing") package var preprocessing: PreprocessingArguments
  @OptionGroup package var common: CommonOptions

  package init() {}

  package func validate() throws {
    guard samples > 0 else { throw ValidationError("--samples \(samples): accepted: 1 or more") }
    if let maxDrop, !(maxDrop >= 0 && maxDrop <= 100) {
      throw ValidationError("--max-drop \(maxDrop): accepted: 0…100 points")
    }
    if let stopAfter, stopAfter < 0 {
      throw ValidationError("--stop-after \(stopAfter): accepted: 0 or more")
    }
  }

  /// Looks before the work whether its results can be written.
  private func checkOutputs() throws {
    for path in [output, report].compactMap({ $0 }) {
      try OutputFile.check(path, isNot: model, "the float network itself")
    }
  }

  package func run(on console: Console) throws {
    let view = try finished(on: console)
    try console.object(view.json)
    if let goal = view.outcome.goal, !goal.isMet {
      if common.quiet {
        let gap = Format.fixed(goal.gap, decimals: 2)
        console.warn("--max-drop \(goal.allowed) was missed by \(gap) points")
      }
      throw ExitStatus.goalMissed
    }
  }

  /// Quantizes, measures, writes and says all but the object of `--json`.
  func finished(on console: Console) throws -> QuantizeView {
    let options = try method.options()
    if options.needsSamples, data == nil {
      throw CommandError(
        "--data is missing",
        reasons: ["--mode static measures ranges on samples; give --data PATH"],
        status: .wrongUsage)
    }
    let file = try ModelFile(model)
    try checkOutputs()
    let interruption = Interruption(kept: "nothing was written")
    let run = QuantizeRun(
      command: self, options: options, file: file, console: console, interruption: interruption)
    let outcome = try run.outcome()
    let view = QuantizeView(outcome: outcome)
    try console.say()
    try console.show(view.comparison.table)
    try console.say()
    if let layers = view.damageTable {
      if !common.quiet { try console.show(layers) }
      try console.say()
    }
    if let report {
      try AtomicFile.write(try QuantizePage(outcome: outcome, view: view).report.html(), to: report)
    }
    for (label, text) in view.conclusion(report: report) { try console.say(label, text) }
    // Unwrapped, so that a command can be copied.
    try console.say("Next            \(view.next)")
    return view
  }
}
