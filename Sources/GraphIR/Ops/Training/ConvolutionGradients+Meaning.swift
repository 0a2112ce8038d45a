// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension Conv {
  fileprivate var rule: ConvolutionRule {
    ConvolutionRule(strides: strides, dilations: dilations, padding: padding, group: group)
  }

  fileprivate func geometry(input: [Int], kernel: [Int]) throws(OpError) -> WindowGeometry {
    try WindowGeometry(
      input: input, kernel: kernel, strides: strides, dilations: dilations, padding: padding)
  }
}

extension ConvInputGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    let dY = try operands.required(0, "dY").type
    let w = try operands.required(1, "W").type
    try ElementTypeRule.floating.check(dY, "dY")
    try ElementTypeRule.floating.check(w, "W")
    guard inputExtents.allSatisfy({ (0...WindowGeometry.extentLimit).contains($0) }) else {
      throw .invalidAttribute(
        name: "input extents", found: "\(inputExtents)", expected: "extents of 0 or more")
    }
    let channels = (w?.dimensions?.count ?? 0) > 1 ? w?.dimensions?[1] : nil
    let dimensions =
      [dY?.dimensions?.first ?? .unknown, (channels ?? .unknown) * .fixed(convolution.group)]
      + inputExtents.map { .fixed($0) }
    let output = try convolution.rule.outputDimensions(x: dimensions, w: w?.dimensions)
    try checkReals(dY, "dY", like: output)
    return [(dY ?? w).map { TensorType($0.elementType, dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let dY = try inputs.required(0, "dY")
    let w = try inputs.required(1, "W")
    let geometry = try convolution.geometry(
      input: inputExtents, kernel: Array(w.shape.dropFirst(2)))
    let sums = geometry.spread(
      dY.reals(), w.reals(), batch: dY.shape[0], channels: dY.shape[1], group: convolution.group,
      made: w.shape[1], bias: nil)
    return [Tensor(reals: sums, shape: shape, elementType: elementType)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    ConvolutionRule.multiplyAccumulates(output: inputs.optional(0), w: inputs.optional(1))
  }
}

extension ConvWeightGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    let dY = try operands.required(0, "dY").type
    let x = try operands.required(1, "X").type
    try ElementTypeRule.floating.check(dY, "dY")
    try ElementTypeRule.floating.check(x, "X")
    guard kernelExtents.allSatisfy({ (1...WindowGeometry.extentLimit).contains($0) }) else {
      throw .invalidAttribute(
        name: "kernel extents", found: "\(kernelExtents)", expected: "extents of 1 or more")
    }
    let group = convolution.group
    guard group >= 1 else {
      throw .invalidAttribute(name: "group", found: String(group), expected: "1 or more")
    }
    var taken = Dimension.unknown
    if let channels = x?.dimensions?.dropFirst().first?.value {
      guard channels % group == 0 else {
        throw .invalidShape(
          input: "X", found: [channels], expected: "a multiple of the \(group) groups on axis 1")
      }
      taken = .fixed(channels / group)
    }
    let outputs = dY?.dimensions?.dropFirst().first ?? .unknown
    let dimensions = [outputs, taken] + kernelExtents.map { .fixed($0) }
    let output = try convolution.rule.outputDimensions(x: x?.dimensions, w: dimensions)
    try checkReals(dY, "dY", like: output)
    return [(dY ?? x).map { TensorType($0.elementType, dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let dY = try inputs.required(0, "dY")
    let x = try inputs.required(1, "X")
    let geometry = try convolution.geometry(
      input: Array(x.shape.dropFirst(2)), kernel: kernelExtents)
    let sums = geometry.collected(
      dY.reals(), dYShape: dY.shape, x.reals(), xShape: x.shape, taken: shape[1])
    return [Tensor(reals: sums, shape: shape, elementType: elementType)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    ConvolutionRule.multiplyAccumulates(output: inputs.optional(0), w: outputs.optional(0))
  }
}

extension WindowGeometry {
  /// For each weight, the sum over batch and window positions of the products of output gradient
  /// and input that the weight joins.
  ///
  /// - Parameters:
  ///   - dY: `[N, M, output…]`, row-major.
  ///   - x: `[N, C, input…]`, row-major.
  ///   - taken: Input channels of a group.
  /// - Returns: `[M, taken, kernel…]`, row-major.
  func collected(
    _ dY: [Double], dYShape: [Int], _ x: [Double], xShape: [Int], taken: Int
  ) -> [Double] {
    let (batch, outputs, channels) = (dYShape[0], dYShape[1], xShape[1])
    let (volume, positions, taps) = (input.reduce(1, *), output.reduce(1, *), kernel.reduce(1, *))
    var result = [Double](repeating: 0, count: outputs * taken * taps)
    guard !result.isEmpty, !dY.isEmpty, !x.isEmpty else { return result }
    let made = outputs / (channels / taken)
    let lines = lines()
    for image in 0..<batch {
      for output in 0..<outputs {
        let from = (image * outputs + output) * positions
        for channel in 0..<taken {
          let to = (image * channels + output / made * taken + channel) * volume
          let weight = (output * taken + channel) * taps
          for line in lines {
            var sum = 0.0
            var source = to &+ line.input
            for index in (from &+ line.output)..<(from &+ line.output &+ line.count) {
              sum += dY[index] * x[source]
              source &+= line.step
            }
            result[weight + line.tap] += sum
          }
        }
      }
    }
    return result
  }
}

extension ChannelSum {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "X").type
    try ElementTypeRule.floating.check(x, "X")
    if let rank = x?.rank, rank < 2 {
      throw .invalidRank(input: "X", found: rank, expected: "2 or more")
    }
    return [x.map { TensorType($0.elementType, [$0.dimensions?[1] ?? .unknown]) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let x = try inputs.required(0, "X")
    let values = x.reals()
    var sums = [Double](repeating: 0, count: shape[0])
    ChannelAxis(x.shape).forEachLine { channel, line in
      for index in line { sums[channel] += values[index] }
    }
    return [Tensor(reals: sums, shape: shape, elementType: elementType)]
  }
}
