// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import Synchronization

/// Says what was kept when Ctrl-C ends the process.
///
/// A class because it owns the signal's source for as long as it watches.
final class Interruption: Sendable {
  private let kept: Mutex<String>
  // Set once; dispatch sources may be used from any thread.
  nonisolated(unsafe) private let source: any DispatchSourceSignal

  /// Watches until it is released.
  ///
  /// - Parameter kept: What there is so far, such as "nothing was written".
  init(kept: String) {
    self.kept = Mutex(kept)
    signal(SIGINT, SIG_IGN)
    source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
    source.setEventHandler { [weak self] in
      let words = self?.kept.withLock { $0 } ?? ""
      try? FileHandle.standardError.write(contentsOf: Data("\ninterrupted: \(words)\n".utf8))
      _exit(130)
    }
    source.resume()
  }

  deinit {
    source.cancel()
    signal(SIGINT, SIG_DFL)
  }

  /// Changes what is said.
  func keep(_ words: String) { kept.withLock { $0 = words } }
}
