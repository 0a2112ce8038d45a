// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import Synchronization
import Training

/// Says what was kept when Ctrl-C ends the process.
///
/// Work that can be ended in order is asked to first; the next Ctrl-C ends the process at once.
///
/// A class because it owns the signal's source for as long as it watches.
final class Interruption: Sendable {
  private let kept: Mutex<String>
  private let flag: InterruptFlag?
  // Set once; dispatch sources may be used from any thread.
  nonisolated(unsafe) private let source: any DispatchSourceSignal

  /// Watches until it is released.
  ///
  /// - Parameters:
  ///   - kept: What there is so far, such as "nothing was written".
  ///   - flag: Raised by the first Ctrl-C, for work that ends in order.
  init(kept: String, asking flag: InterruptFlag? = nil) {
    self.kept = Mutex(kept)
    self.flag = flag
    signal(SIGINT, SIG_IGN)
    source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
    source.setEventHandler { [weak self] in
      if let flag = self?.flag, !flag.isRaised {
        flag.raise()
        let words = "\nsaving; Ctrl-C again ends at once\n"
        try? FileHandle.standardError.write(contentsOf: Data(words.utf8))
        return
      }
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
