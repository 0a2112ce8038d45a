// SPDX-License-Identifier: Apache-2.0
import TensorCore
import Testing

@Suite("Counted random numbers are looked up by stream, step and index")
struct CounterRandomTests {
  @Test("The numbers of one seed are those of SplitMix64 in turn")
  func sequence() {
    let random = CounterRandom(stream: 5, step: 9)
    var source = RandomSource(seed: random.seed)
    for index in 0..<100 { #expect(random.bits(at: index) == source.next()) }
  }

  @Test("Another stream or step gives other numbers, and both enter the seed as documented")
  func seeds() {
    var streams = RandomSource(seed: 5)
    let start = streams.next()
    var steps = RandomSource(seed: start &+ 9 &* 0x9e37_79b9_7f4a_7c15)
    #expect(CounterRandom(stream: 5, step: 9).seed == steps.next())
    let seeds = Set(
      (0..<50).flatMap { stream in
        (0..<50).map { CounterRandom(stream: stream, step: $0).seed }
      })
    #expect(seeds.count == 2500)
  }

  @Test("Uniform numbers are spread evenly over 0..<1")
  func uniform() {
    let random = CounterRandom(stream: 0, step: 0)
    let numbers = (0..<10_000).map { random.uniform(at: $0) }
    #expect(numbers.allSatisfy { (0..<1).contains($0) })
    // The mean of 10⁴ such numbers has a standard deviation of 0.0029.
    #expect(abs(numbers.reduce(0, +) / 10_000 - 0.5) < 0.015)
  }
}
