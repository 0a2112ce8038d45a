// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension MaxPoolGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(1, "X").type
    try ElementTypeRule.floating.check(x, "X")
    let dY = try operands.required(0, "dY").type
    try checkReals(dY, "dY", like: window.outputDimensions(x: x?.dimensions))
    return [x]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let dY = try inputs.required(0, "dY").reals()
    let x = try inputs.required(1, "X")
    let geometry = try window.geometry(input: Array(x.shape.dropFirst(2)))
    let volume = geometry.input.reduce(1, *)
    let planes = x.shape[0] * x.shape[1]
    let positions = geometry.output.reduce(1, *)
    let reals = x.reals()
    var values = [Double](repeating: 0, count: reals.count)
    geometry.forEachWindow { position, lines in
      for plane in 0..<planes {
        let base = plane &* volume
        var place = -1
        for line in lines {
          var index = base &+ line.start
          for _ in 0..<line.count {
            if !reals[index].isNaN, place < 0 || reals[index] > reals[place] { place = index }
            index &+= line.step
          }
        }
        if place >= 0 { values[place] += dY[plane &* positions &+ position] }
      }
    }
    return [Tensor(reals: values, shape: x.shape, elementType: results[0].elementType)]
  }
}

extension AveragePoolGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let dY = try operands.required(0, "dY").type
    let dimensions = Array((dY?.dimensions ?? [.unknown, .unknown]).prefix(2))
    let input = dimensions + inputExtents.map { .fixed($0) }
    try checkReals(dY, "dY", like: window.outputDimensions(x: input))
    return [dY.map { TensorType($0.elementType, input) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let dY = try inputs.required(0, "dY").reals()
    let geometry = try window.geometry(input: inputExtents)
    let volume = geometry.input.reduce(1, *)
    let planes = shape[0] * shape[1]
    let positions = geometry.output.reduce(1, *)
    var values = [Double](repeating: 0, count: planes * volume)
    geometry.forEachWindow { position, lines in
      let covered = lines.reduce(0) { $0 + $1.count }
      guard covered > 0 else { return }
      let divisor =
        countsPadding ? geometry.paddedTapCount(position: position) : Double(covered)
      for plane in 0..<planes {
        let share = dY[plane &* positions &+ position] / divisor
        for line in lines {
          var index = plane &* volume &+ line.start
          for _ in 0..<line.count {
            values[index] += share
            index &+= line.step
          }
        }
      }
    }
    return [Tensor(reals: values, shape: shape, elementType: elementType)]
  }
}

extension GlobalAveragePoolGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let dY = try operands.required(0, "dY").type
    guard inputExtents.allSatisfy({ $0 >= 1 }) else {
      throw .invalidAttribute(
        name: "input extents", found: "\(inputExtents)", expected: "extents of 1 or more")
    }
    let leading = Array((dY?.dimensions ?? [.unknown, .unknown]).prefix(2))
    try checkReals(dY, "dY", like: leading + inputExtents.map { _ in .fixed(1) })
    return [dY.map { TensorType($0.elementType, leading + inputExtents.map { .fixed($0) }) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let volume = inputExtents.reduce(1, *)
    var values: [Double] = []
    values.reserveCapacity(shape.reduce(1, *))
    for value in try inputs.required(0, "dY").reals() {
      values += Array(repeating: value / Double(volume), count: volume)
    }
    return [Tensor(reals: values, shape: shape, elementType: elementType)]
  }
}
