// SPDX-License-Identifier: Apache-2.0
public import ArgumentParser
package import Reporting
public import Swiftlet

/// Options that every command takes.
package struct CommonOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Threads to compute with (default: all processors).", valueName: "n"))
  package var threads: Int?

  @Option(
    name: .customLong("seed"),
    help: ArgumentHelp("Seed of everything random (default: 0).", valueName: "n"))
  package var givenSeed: UInt64?

  @Flag(help: "Write one JSON object to standard output, words to standard error.")
  package var json = false

  @Flag(name: [.customShort("q"), .long], help: "Only results, warnings and errors.")
  package var quiet = false

  @Flag(name: [.customShort("v"), .long], help: "Say more.")
  package var verbose = false

  package init() {}

  package var seed: UInt64 { givenSeed ?? 0 }

  package var consoleOptions: Console.Options {
    Console.Options(isQuiet: quiet, isJSON: json, isVerbose: verbose)
  }

  func validateThreads() throws {
    guard let threads else { return }
    guard (1...1024).contains(threads) else {
      throw CommandError(
        "--threads \(threads): accepted: 1…1024", status: .wrongUsage)
    }
  }

  /// Compile options with the threads asked for.
  func compileOptions(_ precision: Precision) -> CompileOptions {
    CompileOptions(threads: threads, precision: precision)
  }

  var threadCount: Int { threads ?? RuntimeDescription.processorCount }
}

extension Precision: ExpressibleByArgument {}

extension ChannelOrder: ExpressibleByArgument {}
