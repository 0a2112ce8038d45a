// SPDX-License-Identifier: Apache-2.0

/// A seeded source of random numbers that gives the same sequence on every machine.
///
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014 (SplitMix64).
public struct RandomSource: RandomNumberGenerator, Sendable, Equatable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// A value spread evenly over 0..<1, a multiple of 2⁻⁵³.
  public mutating func nextUniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// An integer spread evenly over `0..<bound`; `bound` must be positive.
  public mutating func nextIndex(below bound: Int) -> Int {
    precondition(bound > 0, "the bound of a random index must be positive")
    return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// `count` different indices below `bound`, in random order; all of them if there are fewer.
  public mutating func sample(_ count: Int, below bound: Int) -> [Int] {
    var indices = Array(0..<bound)
    let taken = min(count, bound)
    for position in 0..<taken {
      indices.swapAt(position, position + nextIndex(below: bound - position))
    }
    return Array(indices.prefix(taken))
  }
}
