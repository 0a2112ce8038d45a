// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension MatMul {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    let a = try operands.required(0, "A").type
    let b = try operands.required(1, "B").type
    let elementType = try ElementTypeRule.arithmetic.common([("A", a), ("B", b)])
    let dimensions = try MatrixProductRule.dimensions(a: a?.dimensions, b: b?.dimensions)
    return [elementType.map { TensorType($0, dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let a = try inputs.required(0, "A")
    let b = try inputs.required(1, "B")
    guard let plan = MatrixProductRule.plan(a: a.shape, b: b.shape) else {
      throw .notEvaluable(kind: kind)
    }
    if elementType.isInteger {
      let product = MatrixProductRule.product(a.integers(), b.integers(), plan)
      return [Tensor(integers: product, shape: shape, elementType: elementType)]
    }
    let product = MatrixProductRule.product(a.reals(), b.reals(), plan)
    return [Tensor(reals: product, shape: shape, elementType: elementType)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    MatrixProductRule.multiplyAccumulates(a: inputs.optional(0), output: outputs.optional(0))
  }
}

extension Gemm {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...3)
    try checkOutputCount(outputCount, 1...1)
    let a = try operands.required(0, "A").type
    let b = try operands.required(1, "B").type
    let c = operands.optional(2)?.type
    let elementType = try ElementTypeRule.arithmetic.common([("A", a), ("B", b), ("C", c)])
    for (name, type) in [("A", a), ("B", b)] {
      if let rank = type?.rank, rank != 2 {
        throw .invalidRank(input: name, found: rank, expected: "2")
      }
    }
    let left = a?.dimensions.map { transposesA ? $0.reversed() : $0 }
    let right = b?.dimensions.map { transposesB ? $0.reversed() : $0 }
    if let depth = left?[1].value, let found = right?[0].value, depth != found {
      throw .invalidShape(
        input: "B", found: b?.shape ?? [found],
        expected: "\(depth) on the axis that is multiplied, as A has")
    }
    let result = [left?[0] ?? .unknown, right?[1] ?? .unknown]
    if let added = c?.dimensions, !Broadcasting.canStretch(added, to: result) {
      throw .invalidShape(
        input: "C", found: c?.shape ?? [],
        expected: "a shape that broadcasts to \(result.map(\.description))")
    }
    return [elementType.map { TensorType($0, result) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let a = try inputs.required(0, "A")
    let b = try inputs.required(1, "B")
    let depth = a.shape[transposesA ? 0 : 1]
    let plan = MatrixProductRule.Plan(
      rows: shape[0], depth: depth, columns: shape[1], starts: [(a: 0, b: 0)])
    let addend = inputs.optional(2)
    let places = addend.flatMap { Broadcasting.indices(of: $0.shape, in: shape) } ?? []
    if elementType.isInteger, alpha == 1, beta == 1 {
      var result = MatrixProductRule.product(
        arranged(a.integers(), a.shape, transposesA), arranged(b.integers(), b.shape, transposesB),
        plan)
      let added = addend?.integers() ?? []
      for (index, place) in places.enumerated() { result[index] &+= added[place] }
      return [Tensor(integers: result, shape: shape, elementType: elementType)]
    }
    var result = MatrixProductRule.product(
      arranged(a.reals(), a.shape, transposesA), arranged(b.reals(), b.shape, transposesB), plan)
    if alpha != 1 { for index in result.indices { result[index] *= Double(alpha) } }
    if beta != 0, let added = addend?.reals() {
      for (index, place) in places.enumerated() { result[index] += Double(beta) * added[place] }
    }
    return [Tensor(reals: result, shape: shape, elementType: elementType)]
  }

  /// A matrix of shape `shape`, or its transpose.
  private func arranged<Number>(
    _ matrix: [Number], _ shape: [Int], _ transposes: Bool
  ) -> [Number] {
    guard transposes, let first = matrix.first else { return matrix }
    let (rows, columns) = (shape[0], shape[1])
    var result = [Number](repeating: first, count: matrix.count)
    // Sixteen rows at a time, so that the lines of memory that are read stay in the cache.
    for start in stride(from: 0, to: rows, by: 16) {
      let end = min(rows, start + 16)
      for column in 0..<columns {
        for row in start..<end {
          result[column &* rows &+ row] = matrix[row &* columns &+ column]
        }
      }
    }
    return result
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    guard let a = inputs.optional(0)?.shape, a.count == 2, let output = outputs.optional(0)?.shape
    else { return nil }
    return OpCost(products: output + [a[transposesA ? 0 : 1]])
  }
}
