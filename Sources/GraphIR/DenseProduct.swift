// SPDX-License-Identifier: Apache-2.0

/// Products of row-major matrices in double precision, summed in the order of the inner axis.
enum DenseProduct {
  /// Adds `left · right` to a part of `sum`.
  ///
  /// - Parameters:
  ///   - left: `[rows, depth]`, from `leftStart` on.
  ///   - right: `[depth, columns]`, from `rightStart` on.
  ///   - sum: Row `r` of the result is at `sumStart + r · sumStride`, `columns` long.
  /// - Complexity: O(rows · depth · columns) time.
  static func add(
    _ left: [Double], from leftStart: Int, _ right: [Double], from rightStart: Int,
    rows: Int, depth: Int, columns: Int, to sum: inout [Double], at sumStart: Int,
    stride sumStride: Int
  ) {
    guard rows > 0, depth > 0, columns > 0 else { return }
    var first = [Double](repeating: 0, count: columns)
    var second = first
    var third = first
    var fourth = first
    var row = 0
    while row < rows {
      let height = min(4, rows - row)
      for column in 0..<columns {
        let place = sumStart + row * sumStride + column
        first[column] = sum[place]
        if height > 1 { second[column] = sum[place + sumStride] }
        if height > 2 { third[column] = sum[place + 2 * sumStride] }
        if height > 3 { fourth[column] = sum[place + 3 * sumStride] }
      }
      let start = leftStart + row * depth
      for step in 0..<depth {
        let from = rightStart + step * columns
        let line = right.span.extracting(from..<(from + columns))
        if height == 4 {
          addScaled(
            line, by: left[start + step], left[start + depth + step],
            left[start + 2 * depth + step], left[start + 3 * depth + step],
            to: &first, &second, &third, &fourth)
        } else {
          addScaled(line, by: left[start + step], to: &first)
          if height > 1 { addScaled(line, by: left[start + depth + step], to: &second) }
          if height > 2 { addScaled(line, by: left[start + 2 * depth + step], to: &third) }
        }
      }
      for column in 0..<columns {
        let place = sumStart + row * sumStride + column
        sum[place] = first[column]
        if height > 1 { sum[place + sumStride] = second[column] }
        if height > 2 { sum[place + 2 * sumStride] = third[column] }
        if height > 3 { sum[place + 3 * sumStride] = fourth[column] }
      }
      row += height
    }
  }

  private static func addScaled(_ line: Span<Double>, by factor: Double, to sum: inout [Double]) {
    var target = sum.mutableSpan
    for index in 0..<min(line.count, target.count) { target[index] += factor * line[index] }
  }

  private static func addScaled(
    _ line: Span<Double>, by a: Double, _ b: Double, _ c: Double, _ d: Double,
    to first: inout [Double], _ second: inout [Double], _ third: inout [Double],
    _ fourth: inout [Double]
  ) {
    var w = first.mutableSpan
    var x = second.mutableSpan
    var y = third.mutableSpan
    var z = fourth.mutableSpan
    let count = min(min(line.count, w.count), min(x.count, min(y.count, z.count)))
    for index in 0..<count {
      let value = line[index]
      w[index] += a * value
      x[index] += b * value
      y[index] += c * value
      z[index] += d * value
    }
  }
}
