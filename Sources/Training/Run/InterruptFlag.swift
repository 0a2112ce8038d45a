// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// A request to stop, made from a signal handler or another thread.
///
/// A class because those who ask and those who obey share it.
public final class InterruptFlag: Sendable {
  private let flag = Atomic<Bool>(false)

  public init() {}

  public var isRaised: Bool { flag.load(ordering: .relaxed) }

  public func raise() { flag.store(true, ordering: .relaxed) }
}
