// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
import Foundation
package import Reporting

/// The command `swiftlet`.
package struct SwiftletTool: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "swiftlet",
    abstract: "Makes trained neural networks small and fast, and shows what it cost.",
    usage: """
      swiftlet quantize resnet20.onnx --data cifar10/ -o resnet20.int8.onnx --report report.html
      swiftlet evaluate resnet20.int8.onnx --data cifar10/
      swiftlet bench resnet20.int8.onnx --profile
      """,
    discussion: """
      Networks are ONNX files. Every command takes --json (one object on standard output), \
      --quiet, --verbose, --threads N and --seed N.
      Exit status: 0 done, 1 failed, 2 wrong usage, 3 done but the asked goal was missed.
      """,
    version: SwiftletTool.versionText,
    subcommands: [
      InspectCommand.self, CheckCommand.self, QuantizeCommand.self, EvaluateCommand.self,
      BenchCommand.self, RunCommand.self, DoctorCommand.self, DemoCommand.self, TrainCommand.self,
      DistillCommand.self, QuantizeAwareCommand.self, ApplyCommand.self, CompareCommand.self,
      ConvertCommand.self, ZooCommand.self, MethodsCommand.self,
    ])

  package static let versionText = "0.1.0"

  package init() {}

  /// Parses the arguments behind the command's name and runs what they ask for.
  ///
  /// - Parameters:
  ///   - arguments: Without the command's name.
  ///   - console: Makes the place where words go, once the options are known.
  /// - Returns: The process's exit status.
  package static func run(
    _ arguments: [String],
    console makeConsole: (Console.Options) -> Console = { Console.standard(options: $0) }
  ) -> Int32 {
    var parsed: any ParsableCommand
    do {
      parsed = try parseAsRoot(arguments)
      // Commands of the parser's own, such as help, end by an error that holds their text.
      if !(parsed is any ConsoleCommand) { try parsed.run() }
    } catch {
      return report(parsing: error, on: makeConsole(Console.Options()))
    }
    guard let command = parsed as? any ConsoleCommand else { return ExitStatus.done.rawValue }
    let console = makeConsole(command.common.consoleOptions)
    do {
      try command.common.validateThreads()
      try command.run(on: console)
      return ExitStatus.done.rawValue
    } catch let status as ExitStatus {
      return status.rawValue
    } catch {
      let failure = CommandError(describing: error)
      console.report(failure)
      return failure.status.rawValue
    }
  }

  private static func report(parsing error: any Error, on console: Console) -> Int32 {
    if exitCode(for: error).isSuccess {
      do { try console.show(HelpText.examplesFirst(fullMessage(for: error))) } catch {
        return ExitStatus.failed.rawValue
      }
      return ExitStatus.done.rawValue
    }
    var lines = message(for: error).split(separator: "\n").map(String.init)
    let first = lines.isEmpty ? "wrong usage" : lines.removeFirst()
    console.report(
      CommandError(
        first, reasons: lines + ["see `swiftlet --help`, or `swiftlet help COMMAND`"],
        status: .wrongUsage))
    return ExitStatus.wrongUsage.rawValue
  }
}

/// How the process ends.
package enum ExitStatus: Int32, Error, Sendable {
  case done = 0
  case failed = 1
  case wrongUsage = 2
  /// The work was done, but the asked goal was missed.
  case goalMissed = 3
  /// Ctrl-C ended the work in order; what was kept has been told.
  case interrupted = 130
}

/// A command that says what it has to say through a console.
package protocol ConsoleCommand: ParsableCommand {
  var common: CommonOptions { get }

  /// Does the work.
  ///
  /// - Throws: `ExitStatus` for an end that has been told already, anything else for an error
  ///   that has not.
  func run(on console: Console) throws
}

extension ConsoleCommand {
  package func run() throws { try run(on: Console.standard(options: common.consoleOptions)) }
}
