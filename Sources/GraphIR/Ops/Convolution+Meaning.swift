// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension Conv {
  private var rule: ConvolutionRule {
    ConvolutionRule(strides: strides, dilations: dilations, padding: padding, group: group)
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...3)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "X").type
    let w = try operands.required(1, "W").type
    let bias = operands.optional(2)?.type
    let elementType = try ElementTypeRule.floating.common([("X", x), ("W", w), ("B", bias)])
    let dimensions = try rule.outputDimensions(x: x?.dimensions, w: w?.dimensions)
    try checkVector(bias, "B", count: w?.dimensions?[0])
    return [elementType.map { TensorType($0, dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let result = results[0]
    let x = try inputs.required(0, "X")
    let w = try inputs.required(1, "W")
    let reals = try rule.evaluate(
      x.reals(), xShape: x.shape, w.reals(), wShape: w.shape, bias: inputs.optional(2)?.reals())
    return [Tensor(reals: reals, shape: result.shape, elementType: result.elementType)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    ConvolutionRule.multiplyAccumulates(output: outputs.optional(0), w: inputs.optional(1))
  }
}

extension Op {
  /// Checks that an operand, where its type is known, is a vector with the given extent.
  ///
  /// - Throws: `OpError.invalidRank` or `OpError.invalidShape`.
  func checkVector(_ type: TensorType?, _ name: String, count: Dimension?) throws(OpError) {
    guard let dimensions = type?.dimensions else { return }
    guard dimensions.count == 1 else {
      throw .invalidRank(input: name, found: dimensions.count, expected: "1")
    }
    guard let found = dimensions[0].value, let expected = count?.value else { return }
    guard found == expected else {
      throw .invalidShape(input: name, found: [found], expected: "[\(expected)]")
    }
  }
}

extension ConvTranspose {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...3)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "X").type
    let w = try operands.required(1, "W").type
    let bias = operands.optional(2)?.type
    let elementType = try ElementTypeRule.floating.common([("X", x), ("W", w), ("B", bias)])
    let dimensions = try outputDimensions(x: x?.dimensions, w: w?.dimensions)
    try checkVector(bias, "B", count: dimensions?[1])
    return [elementType.map { TensorType($0, dimensions) }]
  }

  private func outputDimensions(
    x: [Dimension]?, w: [Dimension]?
  ) throws(OpError) -> [Dimension]? {
    guard group >= 1 else {
      throw .invalidAttribute(name: "group", found: String(group), expected: "1 or more")
    }
    guard let rank = x?.count ?? w?.count else { return nil }
    guard rank >= 3 else { throw .invalidRank(input: "X", found: rank, expected: "3 or more") }
    if let w, w.count != rank {
      throw .invalidRank(input: "W", found: w.count, expected: "\(rank), the rank of X")
    }
    if let channels = x?[1].value, let taken = w?[0].value {
      guard channels == taken, channels % group == 0 else {
        throw .invalidShape(
          input: "W", found: [taken],
          expected: "the \(channels) channels of X, in \(group) groups, on axis 0")
      }
    }
    var outputs = Dimension.unknown
    if let made = w?[1].value {
      let (product, overflow) = made.multipliedReportingOverflow(by: group)
      guard !overflow else { throw .tooLarge(shape: [made, group]) }
      outputs = .fixed(product)
    }
    var spatial = [Dimension](repeating: .unknown, count: rank - 2)
    let kernel = w?.dropFirst(2).compactMap(\.value) ?? []
    if kernel.count == rank - 2 {
      let placement = try TransposedGeometry(self, kernel: kernel)
      for axis in spatial.indices {
        if let extent = x?[axis + 2].value {
          spatial[axis] = .fixed(try placement.placement(axis: axis, input: extent).output)
        }
      }
    }
    return [x?[0] ?? .unknown, outputs] + spatial
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let result = results[0]
    let x = try inputs.required(0, "X")
    let w = try inputs.required(1, "W")
    let kernel = Array(w.shape.dropFirst(2))
    let geometry = try TransposedGeometry(self, kernel: kernel)
      .mirrored(input: Array(x.shape.dropFirst(2)))
    let sums = geometry.spread(
      x.reals(), w.reals(), batch: x.shape[0], channels: x.shape[1], group: group,
      made: w.shape[1], bias: inputs.optional(2)?.reals())
    return [Tensor(reals: sums, shape: result.shape, elementType: result.elementType)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    guard let x = inputs.optional(0)?.shape, let w = inputs.optional(1)?.shape, w.count > 1 else {
      return nil
    }
    return OpCost(products: x + w.dropFirst())
  }
}
