// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How far a piece of work has come, shown on standard error.
///
/// A terminal gets a bar that rewrites itself, a pipe a plain line at the start, every few seconds
/// and at the end, `--quiet` nothing. Any thread may call `advance`: it adds to a counter, and
/// draws only when enough time has passed and nobody else is drawing.
///
/// A class because the threads of the work share it. It takes its bar away when it is released
/// unfinished, so an error message starts on a line of its own.
package final class Progress: Sendable {
  /// How progress is shown.
  package enum Style: Sendable, Equatable {
    case bar(width: Int)
    case lines
    case silent
  }

  /// What is counted.
  package struct Work: Sendable, Equatable {
    package var label: String
    package var total: Int?
    package var unit: String

    /// - Parameters:
    ///   - label: What is being done: `Calibrating`.
    ///   - total: How many items there are; nil if unknown.
    ///   - unit: The items, plural: `images`.
    package init(_ label: String, total: Int?, unit: String) {
      self.label = label
      self.total = total
      self.unit = unit
    }
  }

  /// Seconds on a clock that never goes back.
  package typealias Clock = @Sendable () -> Double

  private struct Drawing {
    var last = -Double.infinity
    /// Stand behind the count in place of rate and time left.
    var facts: [String] = []
    var isFinished = false
  }

  /// Columns of the label, so that successive lines stand under each other.
  static let labelWidth = 16
  private static let barWidth = 32
  private static let barInterval = 0.1
  private static let lineInterval = 5.0

  private let work: Work
  private let style: Style
  private let status: StatusLine
  private let clock: Clock
  private let start: Double
  private let done = Atomic<Int>(0)
  private let drawing = Mutex(Drawing())

  init(_ work: Work, style: Style, status: StatusLine, clock: @escaping Clock) {
    self.work = work
    self.style = style
    self.status = status
    self.clock = clock
    start = clock()
    draw()
  }

  /// Shows progress on `sink`.
  ///
  /// - Parameters:
  ///   - work: What is counted.
  ///   - style: How it is shown.
  ///   - sink: Where to.
  ///   - clock: Seconds; by default the machine's steady clock.
  package convenience init(
    _ work: Work, style: Style, sink: TextSink, clock: @escaping Clock = Progress.steadyClock
  ) {
    self.init(work, style: style, status: StatusLine(sink: sink), clock: clock)
  }

  deinit { if case .bar = style { status.show("") } }

  /// Seconds since an arbitrary moment, on the machine's continuous clock.
  package static let steadyClock: Clock = {
    let origin = ContinuousClock.now
    return {
      let (seconds, attoseconds) = (ContinuousClock.now - origin).components
      return Double(seconds) + Double(attoseconds) * 1e-18
    }
  }()

  /// Items done so far.
  package var completed: Int { done.load(ordering: .relaxed) }

  /// Counts `count` more items as done.
  package func advance(by count: Int = 1) {
    done.wrappingAdd(count, ordering: .relaxed)
    draw()
  }

  /// Sets the number of items done, for work that reports totals.
  package func update(to count: Int) {
    done.store(count, ordering: .relaxed)
    draw()
  }

  /// Sets the number of items done and what is said of them, in place of rate and time left.
  package func update(to count: Int, facts: [String]) {
    done.store(count, ordering: .relaxed)
    drawing.withLock { $0.facts = facts }
    draw()
  }

  /// Ends the progress with one line that stays: the label and `summary`.
  ///
  /// - Parameter summary: By default what was done and how long it took, `300 images in 7 s`.
  package func finish(_ summary: String? = nil) {
    drawing.withLock { drawing in
      guard !drawing.isFinished else { return }
      drawing.isFinished = true
      let text =
        summary
        ?? "\(Format.integer(completed)) \(work.unit) in \(Format.duration(clock() - start))"
      if case .bar = style { status.show("") }
      if style != .silent { status.append(label + text.printable) }
    }
  }

  private var label: String {
    work.label.printable.padded(to: Self.labelWidth - 1) + " "
  }

  private func draw() {
    guard style != .silent else { return }
    _ = drawing.withLockIfAvailable { drawing in
      guard !drawing.isFinished else { return }
      let now = clock()
      switch style {
      case .silent: return
      case .bar(let width):
        guard now - drawing.last >= Self.barInterval else { return }
        status.show(bar(facts(at: now, drawing), width: width))
      case .lines:
        guard now - drawing.last >= Self.lineInterval else { return }
        status.append(label + facts(at: now, drawing).joined(separator: "   "))
      }
      drawing.last = now
    }
  }

  /// Items, rate and time left, as far as they are known.
  private func facts(at now: Double, _ drawing: Drawing) -> [String] {
    let count = completed
    let elapsed = now - start
    var facts = [
      work.total.map { "\(Format.integer(count))/\(Format.integer($0))" }
        ?? "\(Format.integer(count)) \(work.unit)"
    ]
    if !drawing.facts.isEmpty { return facts + drawing.facts }
    guard count > 0, elapsed > 0 else { return facts }
    let rate = Double(count) / elapsed
    facts.append(Format.rate(rate, unit: work.unit))
    if let total = work.total, total > count {
      facts.append(Format.duration((Double(total - count) / rate).rounded(.up)) + " left")
    }
    return facts
  }

  private func bar(_ facts: [String], width: Int) -> String {
    let words = facts.joined(separator: "   ")
    guard let total = work.total, total > 0 else {
      return (label + words).truncatedAtEnd(to: width - 1)
    }
    let room = width - 1 - label.displayWidth - words.displayWidth - 2
    let length = min(Self.barWidth, max(0, room))
    let share = min(1, max(0, Double(completed) / Double(total)))
    let full = Int((share * Double(length)).rounded(.down))
    let bar =
      String(repeating: "█", count: full) + String(repeating: "░", count: length - full)
    return (label + (bar.isEmpty ? "" : bar + "  ") + words).truncatedAtEnd(to: width - 1)
  }
}
