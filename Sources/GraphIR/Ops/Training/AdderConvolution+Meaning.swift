// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension AdderConv {
  fileprivate var rule: ConvolutionRule {
    ConvolutionRule(strides: strides, dilations: [], padding: padding, group: 1)
  }

  fileprivate func geometry(_ x: [Int], _ w: [Int]) throws(OpError) -> WindowGeometry {
    try WindowGeometry(
      input: Array(x.dropFirst(2)), kernel: Array(w.dropFirst(2)), strides: strides,
      padding: padding)
  }

  /// Checks the operands of a gradient and returns the types of X and W, as far as they are known.
  fileprivate func gradientTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> (x: TensorType?, w: TensorType?) {
    try operands.checkCount(3...3)
    try checkOutputCount(outputCount, 1...1)
    let dY = try operands.required(0, "dY").type
    let x = try operands.required(1, "X").type
    let w = try operands.required(2, "W").type
    try ElementTypeRule.floating.check(x, "X")
    try ElementTypeRule.floating.check(w, "W")
    try checkReals(dY, "dY", like: rule.outputDimensions(x: x?.dimensions, w: w?.dimensions))
    return (x, w)
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "X").type
    let w = try operands.required(1, "W").type
    let elementType = try ElementTypeRule.floating.common([("X", x), ("W", w)])
    let dimensions = try rule.outputDimensions(x: x?.dimensions, w: w?.dimensions)
    return [elementType.map { TensorType($0, dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let x = try inputs.required(0, "X")
    let w = try inputs.required(1, "W")
    let geometry = try geometry(x.shape, w.shape)
    let (reals, weights) = (x.reals(), w.reals())
    let positions = geometry.output.reduce(1, *)
    let volume = geometry.input.reduce(1, *)
    let (batch, channels, outputs) = (x.shape[0], x.shape[1], w.shape[0])
    let depth = weights.count / max(outputs, 1)
    var values = [Double](repeating: 0, count: batch * outputs * positions)
    for image in 0..<batch {
      for position in 0..<positions {
        let window = geometry.patches(
          reals, from: image * channels * volume, channels: channels,
          columns: position..<(position + 1))
        for output in 0..<outputs {
          var sum = 0.0
          for index in 0..<depth { sum -= abs(window[index] - weights[output * depth + index]) }
          values[(image * outputs + output) * positions + position] = sum
        }
      }
    }
    return [Tensor(reals: values, shape: shape, elementType: elementType)]
  }

  /// A subtraction and an addition count as one multiply-accumulate.
  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    ConvolutionRule.multiplyAccumulates(output: outputs.optional(0), w: inputs.optional(1))
  }
}

extension AdderConvInputGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    [try convolution.gradientTypes(operands, outputCount: outputCount).x]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let dY = try inputs.required(0, "dY").reals()
    let x = try inputs.required(1, "X").reals()
    let w = try inputs.required(2, "W")
    let geometry = try convolution.geometry(shape, w.shape)
    let weights = w.reals()
    let positions = geometry.output.reduce(1, *)
    let volume = geometry.input.reduce(1, *)
    let taps = geometry.kernel.reduce(1, *)
    let (channels, outputs) = (shape[1], w.shape[0])
    let lines = geometry.lines()
    var gradient = [Double](repeating: 0, count: x.count)
    for plane in 0..<(shape[0] * channels) {
      let (image, channel) = (plane / channels, plane % channels)
      for output in 0..<outputs {
        let from = (image * outputs + output) * positions
        for line in lines {
          let weight = weights[(output * channels + channel) * taps + line.tap]
          var target = plane &* volume &+ line.input
          for index in (from &+ line.output)..<(from &+ line.output &+ line.count) {
            gradient[target] += dY[index] * min(max(weight - x[target], -1), 1)
            target &+= line.step
          }
        }
      }
    }
    return [Tensor(reals: gradient, shape: shape, elementType: elementType)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    ConvolutionRule.multiplyAccumulates(output: inputs.optional(0), w: inputs.optional(2))
  }
}

extension AdderConvWeightGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    if let adaptiveRate, !(adaptiveRate.isFinite && adaptiveRate > 0) {
      throw .invalidAttribute(
        name: "adaptive rate", found: "\(adaptiveRate)", expected: "a positive number")
    }
    return [try convolution.gradientTypes(operands, outputCount: outputCount).w]
  }

  /// The gradient by its definition, its norm taken to be at least 10⁻¹².
  ///
  /// Padding counts as zeros, so that every position takes part: the sum is that of `dY · X` over
  /// the positions inside, less W times the sum of all `dY`.
  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let dY = try inputs.required(0, "dY")
    let x = try inputs.required(1, "X")
    let geometry = try convolution.geometry(x.shape, shape)
    let gradients = dY.reals()
    var sums = geometry.collected(
      gradients, dYShape: dY.shape, x.reals(), xShape: x.shape, taken: shape[1])
    var totals = [Double](repeating: 0, count: shape[0])
    ChannelAxis(dY.shape).forEachLine { channel, line in
      for index in line { totals[channel] += gradients[index] }
    }
    let depth = sums.count / max(shape[0], 1)
    for (index, weight) in try inputs.required(2, "W").reals().enumerated() {
      sums[index] -= weight * totals[index / depth]
    }
    if let adaptiveRate {
      let norm = sums.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let factor = Double(adaptiveRate) * Double(sums.count).squareRoot() / max(norm, 1e-12)
      for index in sums.indices { sums[index] *= factor }
    }
    return [Tensor(reals: sums, shape: shape, elementType: elementType)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    ConvolutionRule.multiplyAccumulates(output: inputs.optional(0), w: inputs.optional(2))
  }
}
