// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
package import Reporting
import Swiftlet

/// The command `swiftlet compare`.
package struct CompareCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Measures several networks side by side.",
    usage: """
      swiftlet compare resnet20.onnx resnet20.int8.onnx --data cifar10/ --report compare.html
      swiftlet compare *.onnx --data photos/ --samples 2000 --json
      """,
    discussion: """
      Each network gets the preprocessing that it stores, unless an option says otherwise, and \
      runs in the precision that it was made for. Latencies are medians, taken in turn. The page \
      draws accuracy against bytes and against latency, with the front of what nothing else beats.
      """)

  @Argument(help: ArgumentHelp("Two ONNX files or more.", valueName: "model.onnx"))
  package var models: [String]

  @Option(help: ArgumentHelp("The data set.", valueName: "path"))
  package var data: String

  @Option(help: ArgumentHelp("Samples drawn with --seed (default: all).", valueName: "n"))
  package var samples: Int?

  @Option(help: ArgumentHelp("Samples in one run that is timed.", valueName: "n"))
  package var batch = 1

  @Option(help: ArgumentHelp("Write an HTML page with the plots.", valueName: "file"))
  package var report: String?

  @OptionGroup(title: "Preprocessing") package var preprocessing: PreprocessingArguments
  @OptionGroup package var common: CommonOptions

  package init() {}

  package func validate() throws {
    guard models.count >= 2 else {
      throw ValidationError("\(models.first ?? ""): accepted: two files or more")
    }
    if let samples, samples < 1 {
      throw ValidationError("--samples \(samples): accepted: 1 or more")
    }
    guard (1...65536).contains(batch) else {
      throw ValidationError("--batch \(batch): accepted: 1…65536")
    }
  }

  package func run(on console: Console) throws {
    if let report {
      for model in models {
        try OutputFile.check(report, isNot: model, "a network that is given")
      }
    }
    let view = CompareView(
      networks: try CompareRun(command: self, console: console).networks(), command: self)
    try console.say()
    try console.show(view.table)
    if let report {
      try AtomicFile.write(try view.page.html(), to: report)
      try console.say()
      try console.say("Report", report)
    }
    try console.object(view.json)
  }
}
