// SPDX-License-Identifier: Apache-2.0
import Reporting
import Swiftlet
import Training

/// What a command lets take part in training beside the recipe.
protocol TrainAddition {
  /// Networks that it reads.
  var files: [String] { get }

  /// A network whose classes a network of the zoo gets, and whose preprocessing is used where the
  /// one to train stores none.
  var model: ModelFile? { get }

  /// Adds methods to the trainer, after saying what they will do and preparing them.
  ///
  /// - Returns: What to tell at the end.
  /// - Throws: `ExitStatus.interrupted` if it was asked to stop, when what was kept has been told.
  func add(to trainer: inout Trainer, _ data: TrainData, _ run: TrainRun) throws -> TrainNotes
}

/// What an addition has to tell at the end.
struct TrainNotes {
  /// Rows of the table: name, value, note; given the test score.
  var rows: @Sendable (Score?) -> [(String, String, String)] = { _ in [] }

  /// Entries of the object of `--json`.
  var json: [(String, JSONValue)] = []

  /// Tables for the page.
  var listings: [HTMLReport.Listing] = []

  /// Facts for the page.
  var facts: [HTMLReport.Fact] = []

  /// Entries of the written model's metadata.
  var metadata: [String: String] = [:]
}

extension TrainRequest {
  /// Checks that what will be written can be, and is no network that is read.
  func checkOutputs() throws {
    for path in [output, report, log].compactMap({ $0 }) {
      try OutputFile.check(path, isNot: model, "the network that is given")
      for file in addition?.files ?? [] {
        try OutputFile.check(path, isNot: file, "a network that is given")
      }
    }
  }

  /// Trains, writes and says all but the object of `--json`.
  func finished(on console: Console) throws -> TrainView {
    try checkOutputs()
    let flag = InterruptFlag()
    let interruption = Interruption(kept: "nothing was written", asking: flag)
    let outcome = try TrainRun(request: self, console: console, flag: flag).outcome()
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
