// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// The shape rule and the loops that all matrix products over broadcast leading axes share.
///
/// Source: ONNX, operator MatMul, which follows `numpy.matmul`: a vector on the left is a row, one
/// on the right a column, and the axis of one that this adds goes again.
enum MatrixProductRule {
  /// Dimensions of the product, as far as they follow; `nil` if a rank is unknown.
  static func dimensions(a: [Dimension]?, b: [Dimension]?) throws(OpError) -> [Dimension]? {
    for (name, operand) in [("A", a), ("B", b)] where operand?.isEmpty == true {
      throw .invalidRank(input: name, found: 0, expected: "1 or more")
    }
    guard let a, let b else { return nil }
    let rows = a.count == 1 ? [.fixed(1)] + a : a
    let columns = b.count == 1 ? b + [.fixed(1)] : b
    if let left = rows[rows.count - 1].value, let right = columns[columns.count - 2].value,
      left != right
    {
      throw .invalidShape(
        input: "B", found: b.compactMap(\.value), expected: "\(left) rows, the columns of A")
    }
    guard
      let batch = Broadcasting.dimensions([Array(rows.dropLast(2)), Array(columns.dropLast(2))])
    else {
      throw .invalidShape(
        input: "B", found: b.compactMap(\.value),
        expected: "axes before the last two that broadcast with those of A")
    }
    var result = batch
    if a.count > 1 { result.append(rows[rows.count - 2]) }
    if b.count > 1 { result.append(columns[columns.count - 1]) }
    return result
  }

  /// A product of known shapes: its extents and where each of its matrices comes from.
  struct Plan {
    var rows: Int
    var depth: Int
    var columns: Int
    /// Start of the matrices of A and B, for each matrix of the product.
    var starts: [(a: Int, b: Int)]
  }

  /// The plan for shapes that have passed `dimensions(a:b:)`; `nil` for others.
  static func plan(a: [Int], b: [Int]) -> Plan? {
    let left = a.count == 1 ? [1] + a : a
    let right = b.count == 1 ? b + [1] : b
    guard left.count >= 2, right.count >= 2 else { return nil }
    let (rows, depth) = (left[left.count - 2], left[left.count - 1])
    let columns = right[right.count - 1]
    let leftBatch = Array(left.dropLast(2))
    let rightBatch = Array(right.dropLast(2))
    guard right[right.count - 2] == depth,
      let batch = Broadcasting.shape([leftBatch, rightBatch]),
      let leftIndices = Broadcasting.indices(of: leftBatch, in: batch),
      let rightIndices = Broadcasting.indices(of: rightBatch, in: batch)
    else { return nil }
    let starts = zip(leftIndices, rightIndices).map { left, right in
      (a: left * rows * depth, b: right * depth * columns)
    }
    return Plan(rows: rows, depth: depth, columns: columns, starts: starts)
  }

  static func product(_ a: [Double], _ b: [Double], _ plan: Plan) -> [Double] {
    let size = plan.rows * plan.columns
    var result = [Double](repeating: 0, count: plan.starts.count * size)
    for (index, start) in plan.starts.enumerated() {
      DenseProduct.add(
        a, from: start.a, b, from: start.b, rows: plan.rows, depth: plan.depth,
        columns: plan.columns, to: &result, at: index * size, stride: plan.columns)
    }
    return result
  }

  /// The product of integers, wrapped to 64 bits.
  static func product(_ a: [Int64], _ b: [Int64], _ plan: Plan) -> [Int64] {
    var result: [Int64] = []
    result.reserveCapacity(plan.starts.count * plan.rows * plan.columns)
    for start in plan.starts {
      for row in 0..<plan.rows {
        var line = [Int64](repeating: 0, count: plan.columns)
        for step in 0..<plan.depth {
          let factor = a[start.a + row * plan.depth + step]
          let from = start.b + step * plan.columns
          for column in 0..<plan.columns { line[column] &+= factor &* b[from &+ column] }
        }
        result += line
      }
    }
    return result
  }

  /// Products of a matrix product with known shapes; `nil` if they are open or beyond counting.
  static func multiplyAccumulates(a: TensorType?, output: TensorType?) -> OpCost? {
    guard let depth = a?.shape?.last, let output = output?.shape else { return nil }
    return OpCost(products: output + [depth])
  }
}
