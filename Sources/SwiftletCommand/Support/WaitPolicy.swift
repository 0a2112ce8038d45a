// SPDX-License-Identifier: Apache-2.0
import Foundation

/// How threads wait for each other at the end of a parallel step.
///
/// A short spin before sleeping is fast on an idle machine and harmless on a busy one. The thread
/// library reads its setting when it is loaded, so the process starts itself anew once, with the
/// setting in place.
package enum WaitPolicy {
  private static let marker = "SWIFTLET_WAIT_POLICY"
  private static let spins = "1000"

  /// Starts the process anew with the setting, unless the environment has one.
  static func restartIfNeeded() {
    #if os(Linux)
      let settings: [String] = ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY", marker]
      guard settings.allSatisfy({ (name: String) in getenv(name) == nil }) else { return }
      var path = [CChar](repeating: 0, count: 4096)
      let length = readlink("/proc/self/exe", &path, path.count - 1)
      guard length > 0 else { return }
      setenv("GOMP_SPINCOUNT", spins, 1)
      setenv(marker, "short-spin", 1)
      execv(path, CommandLine.unsafeArgv)
    // The process goes on as it is, only slower, where it cannot be started anew.
    #endif
  }

  /// What was chosen, in words.
  package static func words(environment: [String: String]) -> String {
    #if os(Linux)
      if environment[marker] != nil {
        return "threads spin \(environment["GOMP_SPINCOUNT"] ?? spins) times, then sleep"
      }
      if let count = environment["GOMP_SPINCOUNT"] {
        return "GOMP_SPINCOUNT=\(count), from the environment"
      }
      if let policy = environment["OMP_WAIT_POLICY"] {
        return "OMP_WAIT_POLICY=\(policy), from the environment"
      }
      return "the thread library's default"
    #else
      return "the system's dispatcher"
    #endif
  }
}
