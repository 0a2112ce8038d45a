// SPDX-License-Identifier: Apache-2.0
import GraphIR

/// Levels that codes stand for where these are not evenly spaced: code *i* is the level at *i*.
public struct LevelTable: Sendable, Equatable {
  /// Rising.
  public let levels: [Float]

  /// The least value with each code; that of the first is −∞.
  public let least: [Float]

  /// The table of what values are rounded to.
  ///
  /// - Parameters:
  ///   - levels: All that `rounding` gives; rising, finite, at least one.
  ///   - rounding: Rounds a value; it does not fall, and leaves a level as it is.
  /// - Complexity: O(*levels*): 32 calls for each.
  public init(_ levels: [Float], rounding: (Float) -> Float) {
    self.levels = levels
    least = levels.indices.map { code in
      guard code > 0 else { return -.infinity }
      var (below, reached) = (Self.rank(of: levels[code - 1]), Self.rank(of: levels[code]))
      while below + 1 < reached {
        let middle = (below + reached) / 2
        if rounding(Self.value(ofRank: middle)) >= levels[code] {
          reached = middle
        } else {
          below = middle
        }
      }
      return Self.value(ofRank: reached)
    }
  }

  private init(levels: [Float], least: [Float]) {
    self.levels = levels
    self.least = least
  }

  /// Finite values in their order, neighbours one apart.
  private static func rank(of value: Float) -> Int {
    let magnitude = Int(value.magnitude.bitPattern)
    return value < 0 ? -magnitude : magnitude
  }

  private static func value(ofRank rank: Int) -> Float {
    let magnitude = Float(bitPattern: UInt32(truncatingIfNeeded: abs(rank)))
    return rank < 0 ? -magnitude : magnitude
  }

  /// With its last level repeated up to a power of two, as `RoundToLevels` takes it.
  var padded: LevelTable {
    var count = 1
    while count < levels.count { count *= 2 }
    let missing = count - levels.count
    return LevelTable(
      levels: levels + levels.suffix(1).flatMap { Array(repeating: $0, count: missing) },
      least: least + Array(repeating: .infinity, count: missing))
  }

  /// The codes of values.
  func codes(of values: [Float]) -> [Int] {
    let least = padded.least
    return values.map { min(RoundToLevels.place(of: $0, in: least), levels.count - 1) }
  }

  /// What values are rounded to.
  public func rounded(_ values: [Float]) -> [Float] { codes(of: values).map { levels[$0] } }
}
