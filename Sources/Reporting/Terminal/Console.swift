// SPDX-License-Identifier: Apache-2.0

/// Where a command writes what it has to say.
///
/// Words and tables go to standard output; progress, warnings and errors to standard error. With
/// `--json`, standard output carries the one object only and the words go to standard error. With
/// `--quiet` only results, warnings and errors remain.
package struct Console: Sendable {
  /// How much is written, and where.
  package struct Options: Sendable, Equatable {
    package var isQuiet: Bool
    package var isJSON: Bool
    package var isVerbose: Bool

    package init(isQuiet: Bool = false, isJSON: Bool = false, isVerbose: Bool = false) {
      self.isQuiet = isQuiet
      self.isJSON = isJSON
      self.isVerbose = isVerbose
    }
  }

  /// A stream and what it can show.
  package struct Stream: Sendable {
    package var sink: TextSink
    package var terminal: Terminal

    package init(sink: TextSink, terminal: Terminal) {
      self.sink = sink
      self.terminal = terminal
    }
  }

  package let options: Options
  private let output: Stream
  private let errors: Stream
  private let status: StatusLine
  private let clock: Progress.Clock

  package init(
    options: Options, output: Stream, errors: Stream,
    clock: @escaping Progress.Clock = Progress.steadyClock
  ) {
    self.options = options
    self.output = output
    self.errors = errors
    self.clock = clock
    status = StatusLine(sink: errors.sink)
  }

  /// The process's own output and error streams.
  package static func standard(options: Options = Options()) -> Console {
    Console(
      options: options,
      output: Stream(sink: .standardOutput, terminal: .standardOutput),
      errors: Stream(sink: .standardError, terminal: .standardError))
  }

  /// Columns that a line of words may take.
  package var width: Int { words.terminal.width }

  // Words go beside the object when there is one.
  private var words: Stream { options.isJSON ? errors : output }

  /// Says what is being done; silent with `--quiet`.
  ///
  /// - Throws: `ReportingError.cannotWrite` if the stream takes no more.
  package func say(_ text: String = "") throws(ReportingError) {
    guard !options.isQuiet else { return }
    try write(text + "\n", to: words)
  }

  /// Says `text` behind a label in a column of its own, wrapped and indented under itself.
  ///
  /// Breaks stand at spaces; text from files is made harmless.
  package func say(_ label: String, _ text: String) throws(ReportingError) {
    guard !options.isQuiet else { return }
    try write(labelled(label, text, words.terminal) + "\n", to: words)
  }

  /// Says more, with `--verbose` only.
  package func detail(_ text: String) throws(ReportingError) {
    guard options.isVerbose else { return }
    try say(text)
  }

  /// Shows what was asked for, also with `--quiet` (but not besides a JSON object then).
  package func show(_ text: String) throws(ReportingError) {
    guard !(options.isQuiet && options.isJSON) else { return }
    try write(text + "\n", to: words)
  }

  /// Shows a table, as `show(_:)` does.
  package func show(_ table: Table) throws(ReportingError) {
    let stream = words
    let lines = table.lines(width: stream.terminal.width, hasColour: stream.terminal.hasColour)
    try show(lines.joined(separator: "\n"))
  }

  /// Writes the one object of `--json` to standard output; nothing without `--json`.
  package func object(_ value: @autoclosure () -> JSONValue) throws(ReportingError) {
    guard options.isJSON else { return }
    try write(value().text() + "\n", to: output)
  }

  /// Warns on standard error, always.
  package func warn(_ message: String, _ reasons: String...) {
    let block = MessageBlock(kind: .warning, message: message, reasons: reasons)
    try? write(block.text(for: errors.terminal), to: errors)
  }

  /// Reports an error on standard error, always: what and where, then why and what to do.
  package func error(_ message: String, _ reasons: String...) {
    let block = MessageBlock(kind: .error, message: message, reasons: reasons)
    try? write(block.text(for: errors.terminal), to: errors)
  }

  /// Starts to show the progress of some work.
  package func progress(
    _ label: String, total: Int?, unit: String = "images"
  ) -> Progress {
    let style: Progress.Style =
      options.isQuiet
      ? .silent
      : errors.terminal.isInteractive ? .bar(width: errors.terminal.width) : .lines
    return Progress(
      Progress.Work(label, total: total, unit: unit), style: style, status: status, clock: clock)
  }

  private func write(_ text: String, to stream: Stream) throws(ReportingError) {
    try status.interrupt { () throws(ReportingError) in try stream.sink.write(text) }
  }

  private func labelled(_ label: String, _ text: String, _ terminal: Terminal) -> String {
    let head = label.printable.padded(to: Progress.labelWidth - 1) + " "
    let indent = String(repeating: " ", count: Progress.labelWidth)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).flatMap {
      String($0).printable.wrapped(to: max(20, terminal.width - head.displayWidth))
    }
    return Paint(isOn: terminal.hasColour).inner(head, .strong)
      + lines.joined(separator: "\n" + indent)
  }
}
