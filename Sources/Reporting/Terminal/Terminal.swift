// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the place that words are written to can show.
package struct Terminal: Sendable, Equatable {
  /// The most columns that a line takes, whatever the terminal has.
  package static let widest = 100

  /// Whether a line can be rewritten.
  package var isInteractive: Bool
  /// Whether colours are shown; honours `NO_COLOR`.
  package var hasColour: Bool
  /// Columns that a line may take.
  package var width: Int

  package init(isInteractive: Bool, hasColour: Bool, width: Int = Terminal.widest) {
    self.isInteractive = isInteractive
    self.hasColour = hasColour
    self.width = width
  }

  /// A file or pipe: no colour, no rewriting.
  package static let plain = Terminal(isInteractive: false, hasColour: false)

  /// What is known of an open file.
  ///
  /// - Parameters:
  ///   - isTerminal: Whether the file is a terminal.
  ///   - columns: The terminal's width; 0 if unknown.
  ///   - environment: `NO_COLOR`, `TERM` and `COLUMNS` are read.
  package init(isTerminal: Bool, columns: Int, environment: [String: String]) {
    let isCapable = isTerminal && environment["TERM"] != "dumb"
    let isMonochrome = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
    let stated = environment["COLUMNS"].flatMap { Int($0) } ?? 0
    let known = columns > 0 ? columns : stated
    self.init(
      isInteractive: isCapable, hasColour: isCapable && !isMonochrome,
      width: isTerminal && known > 0 ? min(Self.widest, max(40, known)) : Self.widest)
  }

  /// Standard output as it is now.
  package static var standardOutput: Terminal { Terminal(descriptor: STDOUT_FILENO) }

  /// Standard error as it is now.
  package static var standardError: Terminal { Terminal(descriptor: STDERR_FILENO) }

  private init(descriptor: Int32) {
    var size = winsize()
    let columns = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
    self.init(
      isTerminal: isatty(descriptor) == 1, columns: columns,
      environment: ProcessInfo.processInfo.environment)
  }
}

/// Turns tones into ANSI colours, or leaves text as it is.
struct Paint: Sendable {
  let isOn: Bool

  func callAsFunction(_ text: String, _ tone: Tone) -> String {
    guard isOn, tone != .plain, !text.isEmpty else { return text }
    let code =
      switch tone {
      case .plain: "0"
      case .strong: "1"
      case .faint: "2"
      case .good: "32"
      case .bad: "31"
      }
    return "\u{1b}[\(code)m\(text)\u{1b}[0m"
  }

  /// Paints the words but not the spaces around them.
  func inner(_ text: String, _ tone: Tone) -> String {
    let head = text.prefix { $0 == " " }
    let tail = text.reversed().prefix { $0 == " " }.count
    guard head.count < text.count else { return text }
    let core = String(text.dropFirst(head.count).dropLast(tail))
    return head + self(core, tone) + String(repeating: " ", count: tail)
  }
}
