// SPDX-License-Identifier: Apache-2.0
import CThreads
import Synchronization

/// The one team of threads, shared with oneDNN.
package enum ThreadTeam {
  /// Processors that this process may run on.
  static var processorCount: Int { Int(swt_processor_count()) }

  /// Lets parallel regions that the calling thread opens use this many threads.
  static func use(_ threads: Int) { swt_set_threads(Int32(threads)) }

  /// Splits `0..<count` into one range per thread and runs `body` on each.
  ///
  /// The split depends on the team's size, so `body` must give the same result for every split.
  static func forEachRange(
    of count: Int, threads: Int, _ body: (Swift.Range<Int>) -> Void
  ) {
    let team = min(threads, count)
    guard team > 1 else {
      if count > 0 { body(0..<count) }
      return
    }
    withoutActuallyEscaping(body) { body in
      var region = Region(count: count, body: body)
      withUnsafeMutablePointer(to: &region) { pointer in
        swt_parallel(
          Int32(team),
          { context, index, members in
            guard let context else { return }
            let region = context.assumingMemoryBound(to: Region.self).pointee
            let first = region.count * Int(index) / Int(members)
            let last = region.count * (Int(index) + 1) / Int(members)
            if first < last { region.body(first..<last) }
          }, pointer)
      }
    }
  }

  /// Runs `body` for every index below `count`, each once, on as many threads.
  ///
  /// Each thread takes the next index when it is done with its last, so the work of one index must
  /// not touch that of another. Parallel loops within `body` stay on their thread.
  package static func forEach(of count: Int, threads: Int, _ body: (Int) -> Void) {
    let team = min(threads, count)
    guard team > 1 else {
      for index in 0..<count { body(index) }
      return
    }
    let next = Atomic(0)
    withoutActuallyEscaping(body) { body in
      var work = Work {
        while true {
          let index = next.add(1, ordering: .relaxed).oldValue
          guard index < count else { return }
          body(index)
        }
      }
      withUnsafeMutablePointer(to: &work) { pointer in
        swt_parallel(
          Int32(team),
          { context, _, _ in context?.assumingMemoryBound(to: Work.self).pointee.run() },
          pointer)
      }
    }
  }

  private struct Work {
    let run: () -> Void
  }

  private struct Region {
    let count: Int
    let body: (Swift.Range<Int>) -> Void
  }
}
