// SPDX-License-Identifier: Apache-2.0

/// What turns a 32-bit accumulator into an 8- or 16-bit code: factors, zero point and limits.
public struct Requantization: Sendable, Equatable {
  /// One factor `M = S₁ S₂ / S₃`, or one per output channel.
  public let multipliers: [FixedPointMultiplier]

  /// The zero point of the result.
  public let zeroPoint: Int32

  /// Limits of the result; an activation narrows them.
  public let codes: ClosedRange<Int32>

  public init(
    multipliers: [FixedPointMultiplier], zeroPoint: Int32, codes: ClosedRange<Int32>
  ) {
    self.multipliers = multipliers
    self.zeroPoint = zeroPoint
    self.codes = codes
  }

  /// The code of an accumulator of an output channel.
  public func code(of accumulator: Int32, channel: Int) -> Int32 {
    let multiplier = multipliers[multipliers.count == 1 ? 0 : channel]
    let (sum, overflow) = multiplier.applied(to: accumulator).addingReportingOverflow(zeroPoint)
    guard !overflow else { return accumulator > 0 ? codes.upperBound : codes.lowerBound }
    return min(max(sum, codes.lowerBound), codes.upperBound)
  }
}

/// A matrix of integer codes with one zero point.
public struct CodeMatrix: Sendable, Equatable {
  /// `[rows, columns]`, row-major.
  public let codes: [Int32]
  public let rows: Int
  public let columns: Int
  public let zeroPoint: Int32

  public init(_ codes: [Int32], rows: Int, columns: Int, zeroPoint: Int32) {
    precondition(codes.count == rows * columns, "codes fill the matrix")
    self.codes = codes
    self.rows = rows
    self.columns = columns
    self.zeroPoint = zeroPoint
  }
}

/// Matrix products and convolutions in integers only.
///
/// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
/// Integer-Arithmetic-Only Inference", 2018, equations 4, 7 and 8. Sums wrap at 32 bits, as the
/// instructions do; codes of 8 bits reach that after 33,000 products.
public enum IntegerProduct {
  /// `Σ (a − Zₐ)(b − Z_b)` with the zero points outside the inner sum (equation 7).
  ///
  /// - Parameters:
  ///   - left: `[m, k]`.
  ///   - right: `[k, n]`.
  /// - Returns: Accumulators `[m, n]`.
  public static func accumulators(_ left: CodeMatrix, _ right: CodeMatrix) -> [Int32] {
    precondition(left.columns == right.rows, "the inner extents agree")
    let (m, k, n) = (left.rows, left.columns, right.columns)
    var leftSums = [Int32](repeating: 0, count: m)
    var rightSums = [Int32](repeating: 0, count: n)
    var results = [Int32](repeating: 0, count: m * n)
    addProducts(of: left, right, to: &results)
    for row in 0..<m {
      for inner in 0..<k { leftSums[row] &+= left.codes[row * k + inner] }
    }
    for inner in 0..<k {
      for column in 0..<n { rightSums[column] &+= right.codes[inner * n + column] }
    }
    let constant = Int32(truncatingIfNeeded: k) &* left.zeroPoint &* right.zeroPoint
    for row in 0..<m {
      for column in 0..<n {
        results[row * n + column] &+=
          constant
          &- left.zeroPoint &* rightSums[column] &- right.zeroPoint &* leftSums[row]
      }
    }
    return results
  }

  /// Adds `Σ a b` of the codes as they are to `[m, n]` sums.
  private static func addProducts(
    of left: CodeMatrix, _ right: CodeMatrix, to sums: inout [Int32]
  ) {
    let (k, n) = (left.columns, right.columns)
    let (one, other) = (left.codes.span, right.codes.span)
    var all = sums.mutableSpan
    for row in 0..<left.rows {
      for inner in 0..<k {
        let code = one[row * k + inner]
        let (target, source) = (row * n, inner * n)
        for column in 0..<n { all[target + column] &+= code &* other[source + column] }
      }
    }
  }

  /// The codes of `left · right + bias`.
  ///
  /// - Parameters:
  ///   - bias: `[n]` in units of the accumulator, or empty.
  ///   - output: Factors per column of `right`.
  public static func product(
    _ left: CodeMatrix, _ right: CodeMatrix, bias: [Int32], output: Requantization
  ) -> [Int32] {
    let n = right.columns
    return accumulators(left, right).enumerated().map { index, sum in
      let column = index % n
      return output.code(of: bias.isEmpty ? sum : sum &+ bias[column], channel: column)
    }
  }
}
