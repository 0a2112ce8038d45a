// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Determinants of square matrices, by elimination with the greatest pivot of each column.
public struct Determinant: Op {
  public var kind: String { "Det" }
  public init() {}

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "X").type
    try ElementTypeRule.floating.check(x, "X")
    guard let dimensions = x?.dimensions, let x else {
      return [x.map { TensorType($0.elementType, nil) }]
    }
    guard dimensions.count >= 2,
      Dimension.merged(dimensions[dimensions.count - 1], dimensions[dimensions.count - 2]) != nil
    else {
      throw .invalidShape(input: "X", found: x.shape ?? [], expected: "square matrices")
    }
    return [TensorType(x.elementType, Array(dimensions.dropLast(2)))]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let x = try inputs.required(0, "X")
    let size = x.shape[x.rank - 1]
    let values = x.reals()
    let count = results[0].shape.reduce(1, *)
    let determinants = (0..<count).map { index in
      Self.determinant(Array(values[(index * size * size)..<((index + 1) * size * size)]), size)
    }
    return [Tensor(reals: determinants, shape: results[0].shape, elementType: x.elementType)]
  }

  private static func determinant(_ matrix: [Double], _ size: Int) -> Double {
    var matrix = matrix
    var product = 1.0
    for column in 0..<size {
      var pivot = column
      for row in (column + 1)..<max(column + 1, size)
      where abs(matrix[row * size + column]) > abs(matrix[pivot * size + column]) { pivot = row }
      if matrix[pivot * size + column] == 0 { return 0 }
      if pivot != column {
        for index in 0..<size {
          matrix.swapAt(pivot * size + index, column * size + index)
        }
        product = -product
      }
      product *= matrix[column * size + column]
      for row in (column + 1)..<max(column + 1, size) {
        let factor = matrix[row * size + column] / matrix[column * size + column]
        for index in column..<size {
          matrix[row * size + index] -= factor * matrix[column * size + index]
        }
      }
    }
    return product
  }
}
