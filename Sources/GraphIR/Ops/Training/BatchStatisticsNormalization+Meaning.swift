// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension BatchStatisticsNormalization {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(5...6)
    try checkOutputCount(outputCount, 1...5)
    let x = try operands.required(0, "X").type
    try ElementTypeRule.floating.check(x, "X")
    let channels = try ChannelAxis.channels(x?.dimensions)
    var elementType: ElementType?
    for (index, name) in ["scale", "bias", "running mean", "running variance"].enumerated() {
      let type = try operands.required(index + 1, name).type
      try ElementTypeRule.floating.check(type, name)
      try checkVector(type, name, count: channels)
      elementType = elementType ?? type?.elementType
    }
    if let addend = operands.optional(5) {
      guard activation != .hardSwish else {
        throw .invalidAttribute(
          name: "activation", found: "hardSwish", expected: "none, relu or relu6 with an addend")
      }
      try checkReals(addend.type, "addend", like: x?.dimensions)
    }
    let statistic = elementType.map { TensorType($0, [channels ?? .unknown]) }
    return Array(([x] + Array(repeating: statistic, count: 4)).prefix(outputCount))
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let x = try inputs.required(0, "X")
    let scale = try inputs.required(1, "scale").reals()
    let bias = try inputs.required(2, "bias").reals()
    let running = [
      try inputs.required(3, "running mean").reals(),
      try inputs.required(4, "running variance").reals(),
    ]
    let addend = inputs.optional(5)?.reals()
    var values = x.reals()
    let layout = ChannelAxis(x.shape)
    let (mean, variance) = layout.moments(values)
    let inverses = variance.map { 1 / ($0 + Double(epsilon)).squareRoot() }
    layout.forEachLine { channel, line in
      for index in line {
        let normal = (values[index] - mean[channel]) * inverses[channel]
        let value = normal * scale[channel] + bias[channel] + (addend?[index] ?? 0)
        values[index] = activation.value(value)
      }
    }
    let count = Double(layout.batch * layout.volume)
    let unbiased = variance.map { count > 1 ? $0 * count / (count - 1) : $0 }
    let kept = Double(momentum)
    let updated = zip(running, [mean, unbiased]).map { running, batch in
      zip(running, batch).map { $0 * kept + $1 * (1 - kept) }
    }
    return zip(results, [values, mean, inverses] + updated).map { result, reals in
      Tensor(reals: reals, shape: result.shape, elementType: result.elementType)
    }
  }
}

extension TrainingActivation {
  func value(_ x: Double) -> Double {
    switch self {
    case .none: x
    case .relu: x < 0 ? 0 : x
    case .relu6: min(max(x, 0), 6)
    case .hardSwish: x * min(max(x / 6 + 0.5, 0), 1)
    }
  }

  /// The derivative where the activation takes `x` to `y`.
  func slope(x: Double, y: Double) -> Double {
    switch self {
    case .none: 1
    case .relu: y > 0 ? 1 : 0
    case .relu6: y > 0 && y < 6 ? 1 : 0
    case .hardSwish: Unary.hardSwishSlope(x)
    }
  }
}

extension BatchStatisticsNormalizationGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(8...8)
    try checkOutputCount(outputCount, 3...4)
    let x = try operands.required(2, "X").type
    try ElementTypeRule.floating.check(x, "X")
    let channels = try ChannelAxis.channels(x?.dimensions)
    var dimensions = x?.dimensions
    dimensions = try checkReals(operands.required(0, "dY").type, "dY", like: dimensions)
    dimensions = try checkReals(operands.optional(1)?.type, "second dY", like: dimensions)
    if activation != .none, activation.isRecoverableFromResult {
      dimensions = try checkReals(operands.required(3, "Y").type, "Y", like: dimensions)
    }
    if activation == .hardSwish, outputCount == 4 {
      throw .invalidAttribute(
        name: "activation", found: "hardSwish", expected: "none, relu or relu6 with an addend")
    }
    var vectors: [TensorType?] = []
    for (index, name) in ["scale", "bias", "mean", "inverse deviation"].enumerated() {
      let type = try operands.required(index + 4, name).type
      try ElementTypeRule.floating.check(type, name)
      try checkVector(type, name, count: channels)
      vectors.append(type)
    }
    let parameters = vectors.prefix(2).map { type in
      type.map { TensorType($0.elementType, [channels ?? .unknown]) }
    }
    let whole = x.map { TensorType($0.elementType, dimensions) }
    return Array(([whole] + parameters + [whole]).prefix(outputCount))
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let x = try inputs.required(2, "X")
    let y = inputs.optional(3)?.reals()
    let scale = try inputs.required(4, "scale").reals()
    let bias = try inputs.required(5, "bias").reals()
    let mean = try inputs.required(6, "mean").reals()
    let inverses = try inputs.required(7, "inverse deviation").reals()
    var gradient = try inputs.required(0, "dY").reals()
    if let second = inputs.optional(1)?.reals() {
      for index in gradient.indices { gradient[index] += second[index] }
    }
    var normals = x.reals()
    let layout = ChannelAxis(x.shape)
    var scaleGradient = [Double](repeating: 0, count: layout.channels)
    var biasGradient = scaleGradient
    layout.forEachLine { channel, line in
      for index in line {
        let normal = (normals[index] - mean[channel]) * inverses[channel]
        gradient[index] *= activation.slope(
          x: normal * scale[channel] + bias[channel], y: y?[index] ?? 0)
        normals[index] = normal
        scaleGradient[channel] += gradient[index] * normal
        biasGradient[channel] += gradient[index]
      }
    }
    let count = Double(layout.batch * layout.volume)
    var inputGradient = gradient
    layout.forEachLine { channel, line in
      let factor = scale[channel] * inverses[channel]
      for index in line {
        let common = biasGradient[channel] + normals[index] * scaleGradient[channel]
        inputGradient[index] = factor * (gradient[index] - common / count)
      }
    }
    return zip(results, [inputGradient, scaleGradient, biasGradient, gradient]).map {
      Tensor(reals: $1, shape: $0.shape, elementType: $0.elementType)
    }
  }
}
