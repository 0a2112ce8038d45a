// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

extension BatchNormalization {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(5...5)
    try checkOutputCount(outputCount, trainingMode ? 1...3 : 1...1)
    let x = try operands.required(0, "X").type
    let channels = try ChannelAxis.channels(x?.dimensions)
    try ElementTypeRule.floating.check(x, "X")
    var vectors: [TensorType?] = []
    for (index, name) in ["scale", "B", "mean", "var"].enumerated() {
      let type = try operands.required(index + 1, name).type
      try ElementTypeRule.floating.check(type, name)
      try checkVector(type, name, count: channels)
      vectors.append(type)
    }
    let statistics = [vectors[2], vectors[3]].map { type in
      type.map { TensorType($0.elementType, [channels ?? .unknown]) }
    }
    return Array(([x] + statistics).prefix(outputCount))
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let x = try inputs.required(0, "X")
    let scale = try inputs.required(1, "scale").reals()
    let bias = try inputs.required(2, "B").reals()
    var mean = try inputs.required(3, "mean").reals()
    var variance = try inputs.required(4, "var").reals()
    var values = x.reals()
    let layout = ChannelAxis(x.shape)
    var running = [mean, variance]
    if trainingMode {
      (mean, variance) = layout.moments(values)
      let kept = Double(momentum)
      running[0] = zip(running[0], mean).map { $0 * kept + $1 * (1 - kept) }
      running[1] = zip(running[1], variance).map { $0 * kept + $1 * (1 - kept) }
    }
    layout.forEachLine { channel, line in
      let factor = scale[channel] / (variance[channel] + Double(epsilon)).squareRoot()
      let offset = bias[channel] - mean[channel] * factor
      for index in line { values[index] = values[index] * factor + offset }
    }
    return zip(results, [values] + running).map { result, reals in
      Tensor(reals: reals, shape: result.shape, elementType: result.elementType)
    }
  }
}

extension InstanceNormalization {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...3)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "input").type
    let scale = try operands.required(1, "scale").type
    let bias = try operands.required(2, "B").type
    _ = try ElementTypeRule.floating.common([("input", x), ("scale", scale), ("B", bias)])
    if let rank = x?.rank, rank < 3 {
      throw .invalidRank(input: "input", found: rank, expected: "3 or more")
    }
    try checkVector(scale, "scale", count: x?.dimensions?[1])
    try checkVector(bias, "B", count: x?.dimensions?[1])
    return [x]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let x = try inputs.required(0, "input")
    let scale = try inputs.required(1, "scale").reals()
    let bias = try inputs.required(2, "B").reals()
    var values = x.reals()
    ChannelAxis(x.shape).forEachLine { channel, line in
      let (mean, variance) = values.moments(line)
      let factor = scale[channel] / (variance + Double(epsilon)).squareRoot()
      for index in line { values[index] = (values[index] - mean) * factor + bias[channel] }
    }
    return [Tensor(reals: values, shape: x.shape, elementType: x.elementType)]
  }
}

extension LayerNormalization {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...3)
    try checkOutputCount(outputCount, 1...3)
    let x = try operands.required(0, "X").type
    let scale = try operands.required(1, "Scale").type
    let bias = operands.optional(2)?.type
    _ = try ElementTypeRule.floating.common([("X", x), ("Scale", scale), ("B", bias)])
    var statistics = TensorType(.float32, nil)
    if let dimensions = x?.dimensions {
      let first = try Axes.normalized(axis, rank: dimensions.count)
      let ones = [Dimension](repeating: .fixed(1), count: dimensions.count - first)
      statistics.dimensions = Array(dimensions.prefix(first)) + ones
      for (name, type) in [("Scale", scale), ("B", bias)] {
        guard let added = type?.dimensions else { continue }
        guard Broadcasting.canStretch(added, to: dimensions) else {
          throw .invalidShape(
            input: name, found: type?.shape ?? [], expected: "a shape that broadcasts to that of X")
        }
      }
    }
    return Array([x, statistics, statistics].prefix(outputCount))
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let x = try inputs.required(0, "X")
    let scale = try inputs.required(1, "Scale")
    let bias = inputs.optional(2)
    var values = x.reals()
    let first = try Axes.normalized(axis, rank: x.rank)
    let length = x.shape.dropFirst(first).reduce(1, *)
    let rows = x.shape.prefix(first).reduce(1, *)
    var means: [Double] = []
    var inverses: [Double] = []
    for row in 0..<rows {
      let line = (row * length)..<((row + 1) * length)
      let (mean, variance) = values.moments(line)
      let inverse = 1 / (variance + Double(epsilon)).squareRoot()
      for index in line { values[index] = (values[index] - mean) * inverse }
      means.append(mean)
      inverses.append(inverse)
    }
    let factors = scale.reals()
    for (index, place) in (Broadcasting.indices(of: scale.shape, in: x.shape) ?? []).enumerated() {
      values[index] *= factors[place]
    }
    if let bias {
      let offsets = bias.reals()
      let places = Broadcasting.indices(of: bias.shape, in: x.shape) ?? []
      for (index, place) in places.enumerated() { values[index] += offsets[place] }
    }
    return zip(results, [values, means, inverses]).map { result, reals in
      Tensor(reals: reals, shape: result.shape, elementType: result.elementType)
    }
  }
}

extension LocalResponseNormalization {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "X").type
    try ElementTypeRule.floating.check(x, "X")
    guard (1...WindowGeometry.extentLimit).contains(size) else {
      throw .invalidAttribute(name: "size", found: String(size), expected: "1 or more")
    }
    if let rank = x?.rank, rank < 2 {
      throw .invalidRank(input: "X", found: rank, expected: "2 or more")
    }
    return [x]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let x = try inputs.required(0, "X")
    let reals = x.reals()
    let (batch, channels) = (x.shape[0], x.shape[1])
    let volume = x.shape.dropFirst(2).reduce(1, *)
    var values = [Double](repeating: 0, count: reals.count)
    var squares = [Double](repeating: 0, count: volume)
    for image in 0..<batch {
      for channel in 0..<channels {
        for index in squares.indices { squares[index] = 0 }
        let last = min(channels - 1, channel + size / 2)
        for neighbour in max(0, channel - (size - 1) / 2)...last {
          let from = (image * channels + neighbour) * volume
          for index in squares.indices {
            let value = reals[from &+ index]
            squares[index] += value * value
          }
        }
        let from = (image * channels + channel) * volume
        for index in squares.indices {
          let sum = Double(bias) + Double(alpha) / Double(size) * squares[index]
          values[from &+ index] = reals[from &+ index] / pow(sum, Double(beta))
        }
      }
    }
    return [Tensor(reals: values, shape: x.shape, elementType: x.elementType)]
  }
}
