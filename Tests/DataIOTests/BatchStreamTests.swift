// SPDX-License-Identifier: Apache-2.0
import DataIO
import Foundation
import Synchronization
import TensorCore
import Testing

@Suite("Streams of batches")
struct BatchStreamTests {
  private struct Failure: Error, Equatable { var number: Int }

  private static func batch(_ number: Int) -> TrainingBatch {
    TrainingBatch(
      images: Tensor([Float(number)], shape: [1]), targets: Tensor([Float(1)], shape: [1, 1]),
      labels: [number])
  }

  @Test("Batches come in order, ready or not, and end", arguments: [0, 1, 3, 100])
  func order(prefetchCount: Int) throws {
    let stream = BatchStream(4..<20, prefetchCount: prefetchCount, Self.batch)
    var labels: [Int] = []
    while let batch = try stream.next() { labels += batch.labels }
    #expect(labels == Array(4..<20))
    #expect(try stream.next() == nil)
    #expect(try BatchStream(3..<3, prefetchCount: prefetchCount, Self.batch).next() == nil)
  }

  @Test("An error comes in its place and is the end", arguments: [0, 2])
  func failing(prefetchCount: Int) throws {
    let stream = BatchStream(0..<9, prefetchCount: prefetchCount) { number in
      guard number < 3 else { throw Failure(number: number) }
      return Self.batch(number)
    }
    for number in 0..<3 { #expect(try stream.next()?.labels == [number]) }
    #expect(throws: Failure(number: 3)) { try stream.next() }
    #expect(try stream.next() == nil)
  }

  @Test("No more are made than may wait, and none after the stream is dropped")
  func bounded() throws {
    let made = Counter()
    var stream: BatchStream? = BatchStream(0..<1000, prefetchCount: 3) { number in
      made.add()
      return Self.batch(number)
    }
    _ = try stream?.next()
    _ = try stream?.next()
    Thread.sleep(forTimeInterval: 0.05)
    #expect(made.value <= 5)
    stream = nil
    Thread.sleep(forTimeInterval: 0.05)
    let last = made.value
    Thread.sleep(forTimeInterval: 0.05)
    #expect(made.value == last)
    #expect(last <= 6)
  }
}

private final class Counter: Sendable {
  private let count = Atomic<Int>(0)
  var value: Int { count.load(ordering: .relaxed) }
  func add() { count.add(1, ordering: .relaxed) }
}
