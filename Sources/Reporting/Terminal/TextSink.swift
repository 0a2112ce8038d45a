// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Where text goes: standard output, standard error, or memory.
package struct TextSink: Sendable {
  private let put: @Sendable (String) throws -> Void

  package init(_ put: @escaping @Sendable (String) throws -> Void) { self.put = put }

  /// Writes `text` as it is.
  ///
  /// - Throws: `ReportingError.cannotWrite` if the file takes no more (disk full, closed).
  package func write(_ text: String) throws(ReportingError) {
    do { try put(text) } catch { throw .cannotWrite(reason: "\(error.localizedDescription)") }
  }

  /// The process's standard output.
  package static let standardOutput = TextSink { text in
    try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
  }

  /// The process's standard error.
  package static let standardError = TextSink { text in
    try FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}

/// Text kept in memory, for tests and for reports.
///
/// A class because a sink and its reader share it.
package final class TextBuffer: Sendable {
  private let storage = Mutex("")

  package init() {}

  /// All that was written.
  package var text: String { storage.withLock { $0 } }

  /// Writes to this buffer.
  package var sink: TextSink { TextSink { [self] text in storage.withLock { $0 += text } } }
}

/// What can go wrong when something is reported.
package enum ReportingError: Error, Equatable, Sendable, CustomStringConvertible {
  case cannotWrite(reason: String)
  case cannotWriteFile(path: String, reason: String)
  case invalidTemplate(reason: String)

  package var description: String {
    switch self {
    case .cannotWrite(let reason): "output cannot be written: \(reason)"
    case .cannotWriteFile(let path, let reason): "\(path): cannot be written: \(reason)"
    case .invalidTemplate(let reason): "the page's template is not valid Mustache: \(reason)"
    }
  }
}
