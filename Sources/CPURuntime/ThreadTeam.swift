// SPDX-License-Identifier: Apache-2.0
import CThreads

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

  /// Runs `body` for every index below `count`, each once, on the threads that the calling
  /// thread's last program ran on.
  ///
  /// The work of one index must not touch that of another.
  package static func forEach(of count: Int, _ body: (Int) -> Void) {
    guard count > 1 else {
      if count == 1 { body(0) }
      return
    }
    withoutActuallyEscaping(body) { body in
      var work = Work(count: count, body: body)
      withUnsafeMutablePointer(to: &work) { pointer in
        swt_parallel(
          0,
          { context, member, members in
            guard let context else { return }
            let work = context.assumingMemoryBound(to: Work.self).pointee
            for index in stride(from: Int(member), to: work.count, by: Int(members)) {
              work.body(index)
            }
          }, pointer)
      }
    }
  }

  private struct Work {
    let count: Int
    let body: (Int) -> Void
  }

  private struct Region {
    let count: Int
    let body: (Swift.Range<Int>) -> Void
  }
}
