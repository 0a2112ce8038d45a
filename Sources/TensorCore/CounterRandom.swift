// SPDX-License-Identifier: Apache-2.0

/// Random numbers that are looked up by a counter rather than drawn in turn.
///
/// The number at an index depends on the stream, the step and the index alone, so that a tensor of
/// them can be made in any order and by any number of threads.
///
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014 (SplitMix64,
/// whose *i*-th number is `mix(seed + (i + 1) · γ)`). Differs in the seed, which is itself hashed
/// from stream and step: `mix(mix(stream + γ) + (step + 1) · γ)`.
public struct CounterRandom: Sendable, Equatable {
  /// The seed that the indices count from.
  public let seed: UInt64

  private static let gamma: UInt64 = 0x9e37_79b9_7f4a_7c15

  public init(stream: UInt64, step: Int64) {
    let start = CounterRandom.mixed(stream &+ CounterRandom.gamma)
    seed = CounterRandom.mixed(
      start &+ (UInt64(bitPattern: step) &+ 1) &* CounterRandom.gamma)
  }

  /// The 64 bits at an index.
  public func bits(at index: Int) -> UInt64 {
    let counter = UInt64(truncatingIfNeeded: index) &+ 1
    return CounterRandom.mixed(seed &+ counter &* CounterRandom.gamma)
  }

  /// A value spread evenly over 0..<1, a multiple of 2⁻²⁴: the upper 24 bits at an index.
  public func uniform(at index: Int) -> Float { Float(bits(at: index) >> 40) * 0x1p-24 }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
