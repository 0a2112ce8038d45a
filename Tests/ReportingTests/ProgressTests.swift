// SPDX-License-Identifier: Apache-2.0

import Reporting
import Synchronization
import Testing

/// A clock that tests move by hand.
private final class ManualClock: Sendable {
  private let time = Mutex(0.0)

  func move(by seconds: Double) { time.withLock { $0 += seconds } }

  var read: Progress.Clock { { [self] in time.withLock { $0 } } }
}

@Suite("Progress tells items, rate and time left without getting in the way")
struct ProgressTests {
  private let buffer = TextBuffer()
  private let clock = ManualClock()

  private func progress(_ style: Progress.Style, total: Int? = 300) -> Progress {
    Progress(
      Progress.Work("Calibrating", total: total, unit: "images"), style: style,
      sink: buffer.sink, clock: clock.read)
  }

  @Test("A pipe gets a first line, one every five seconds, and a last")
  func lines() {
    let progress = progress(.lines)
    for _ in 0..<6 {
      clock.move(by: 2)
      progress.advance(by: 50)
    }
    progress.finish()
    #expect(
      buffer.text == """
        Calibrating     0/300
        Calibrating     150/300   25 images/s   6 s left
        Calibrating     300/300   25 images/s
        Calibrating     300 images in 12 s

        """)
  }

  @Test("A terminal gets a bar that rewrites itself and leaves the summary")
  func bar() {
    let progress = progress(.bar(width: 100))
    clock.move(by: 6)
    progress.advance(by: 228)
    progress.advance()
    progress.finish("done")
    let frames = buffer.text.split(separator: "\r\u{1b}[2K").map(String.init)
    #expect(frames.first?.hasSuffix("0/300") == true)
    #expect(
      frames.dropFirst().first
        == "Calibrating     ████████████████████████░░░░░░░░  228/300   38 images/s   2 s left")
    #expect(frames.last == "Calibrating     done\n")
    #expect(frames.count == 3, "the second advance came too soon to be drawn")
  }

  @Test("A narrow terminal keeps the bar in one line", arguments: [40, 50, 72])
  func narrow(_ width: Int) {
    let progress = progress(.bar(width: width))
    clock.move(by: 6)
    progress.advance(by: 228)
    let frames = buffer.text.split(separator: "\r\u{1b}[2K").map(String.init)
    #expect(frames.allSatisfy { $0.displayWidth < width })
  }

  @Test("Quiet writes nothing")
  func silent() {
    let progress = progress(.silent)
    progress.advance(by: 300)
    progress.finish()
    #expect(buffer.text.isEmpty)
  }

  @Test("An unknown total shows items and rate only")
  func unknownTotal() {
    let progress = progress(.lines, total: nil)
    clock.move(by: 5)
    progress.advance(by: 50)
    #expect(buffer.text.hasSuffix("Calibrating     50 images   10 images/s\n"))
  }

  @Test("Every thread's items are counted")
  func threads() async {
    let progress = progress(.lines, total: 4_000)
    await withTaskGroup { group in
      for _ in 0..<4 {
        group.addTask { for _ in 0..<1_000 { progress.advance() } }
      }
    }
    #expect(progress.completed == 4_000)
  }

  @Test("A bar released unfinished is taken away")
  func abandoned() {
    do { _ = progress(.bar(width: 80)) }
    #expect(buffer.text.hasSuffix("\r\u{1b}[2K"))
  }
}
