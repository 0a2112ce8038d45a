// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The one line at the bottom of a terminal that is rewritten while work goes on.
///
/// Other text is written through it, so that the line is taken away first and drawn again after.
/// A class because the console and its progress share the line.
final class StatusLine: Sendable {
  private let sink: TextSink
  private let current = Mutex("")

  init(sink: TextSink) { self.sink = sink }

  /// Replaces the line; an empty one takes it away.
  func show(_ line: String) {
    current.withLock { current in
      guard !(current.isEmpty && line.isEmpty) else { return }
      current = line
      try? sink.write(Self.erase + line)
    }
  }

  /// Writes other text while the line is away.
  func interrupt(_ body: () throws(ReportingError) -> Void) throws(ReportingError) {
    try current.withLock { (current) throws(ReportingError) in
      if !current.isEmpty { try? sink.write(Self.erase) }
      try body()
      if !current.isEmpty { try? sink.write(current) }
    }
  }

  /// Writes a line that stays, above the rewritten one.
  func append(_ line: String) {
    try? interrupt { () throws(ReportingError) in try sink.write(line + "\n") }
  }

  private static let erase = "\r\u{1b}[2K"
}
