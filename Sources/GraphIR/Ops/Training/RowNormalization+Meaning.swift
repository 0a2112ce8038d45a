// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension RowNormalization {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "X").type
    try checkRows(x?.dimensions)
    try ElementTypeRule.floating.check(x, "X")
    return [x]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    var values = try inputs.required(0, "X").reals()
    for row in rows(values.count, shape) {
      let length = values[row].reduce(0) { $0 + $1 * $1 }.squareRoot()
      for index in row { values[index] /= max(length, Double(epsilon)) }
    }
    return [Tensor(reals: values, shape: shape, elementType: elementType)]
  }
}

extension RowNormalizationGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    let dY = try operands.required(0, "dY").type
    let x = try operands.required(1, "X").type
    try ElementTypeRule.floating.check(x, "X")
    let dimensions = try checkReals(dY, "dY", like: x?.dimensions)
    try checkRows(dimensions)
    return [(x ?? dY).map { TensorType($0.elementType, dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    var values = try inputs.required(0, "dY").reals()
    let x = try inputs.required(1, "X").reals()
    for row in rows(values.count, shape) {
      let length = x[row].reduce(0) { $0 + $1 * $1 }.squareRoot()
      var share = 0.0
      if length > Double(epsilon) {
        for index in row { share += values[index] * x[index] }
        share /= length * length
      }
      for index in row {
        values[index] = (values[index] - share * x[index]) / max(length, Double(epsilon))
      }
    }
    return [Tensor(reals: values, shape: shape, elementType: elementType)]
  }
}

extension Op {
  fileprivate func checkRows(_ dimensions: [Dimension]?) throws(OpError) {
    guard let dimensions, dimensions.count < 2 else { return }
    throw .invalidRank(input: "X", found: dimensions.count, expected: "2 or more")
  }

  fileprivate func rows(_ count: Int, _ shape: [Int]) -> [Swift.Range<Int>] {
    let width = count / max(shape[0], 1)
    return (0..<shape[0]).map { $0 * width..<($0 + 1) * width }
  }
}
