// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension PoolingWindow {
  func geometry(input: [Int]) throws(OpError) -> WindowGeometry {
    try WindowGeometry(
      input: input, kernel: kernel, strides: strides, dilations: dilations, padding: padding,
      ceilMode: ceilMode)
  }

  /// Dimensions of a pooled `[N, C, …]`; `nil` if the rank is unknown.
  func outputDimensions(x: [Dimension]?) throws(OpError) -> [Dimension]? {
    guard let x else { return nil }
    guard x.count >= 3 else {
      throw .invalidRank(input: "X", found: x.count, expected: "3 or more")
    }
    let spatial = try WindowGeometry.outputDimensions(
      input: Array(x.dropFirst(2)), kernel: kernel, strides: strides, dilations: dilations,
      padding: padding, ceilMode: ceilMode)
    return Array(x.prefix(2)) + spatial
  }
}

extension MaxPool {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...2)
    let x = try operands.required(0, "X").type
    let types = ElementTypeRule(
      name: "a floating-point type, int8 or uint8",
      types: ElementTypeRule.floating.types.union([.int8, .uint8]))
    try types.check(x, "X")
    let dimensions = try window.outputDimensions(x: x?.dimensions)
    let values = x.map { TensorType($0.elementType, dimensions) }
    return outputCount == 1 ? [values] : [values, TensorType(.int64, dimensions)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let x = try inputs.required(0, "X")
    let geometry = try window.geometry(input: Array(x.shape.dropFirst(2)))
    let volume = geometry.input.reduce(1, *)
    let planes = x.shape[0] * x.shape[1]
    let positions = geometry.output.reduce(1, *)
    let reals = x.reals()
    let lowest = x.elementType.lowestReal
    var values = [Double](repeating: lowest, count: planes * positions)
    var indices = [Int64](repeating: 0, count: outputCount > 1 ? planes * positions : 0)
    let isColumnMajor = columnMajorIndices
    geometry.forEachWindow { position, lines in
      for plane in 0..<planes {
        let base = plane &* volume
        var best = lowest
        var place = -1
        for line in lines {
          var index = line.start
          for _ in 0..<line.count {
            let value = reals[base &+ index]
            if value > best || (place < 0 && !value.isNaN) {
              best = value
              place = index
            }
            index &+= line.step
          }
        }
        values[plane &* positions &+ position] = best
        guard !indices.isEmpty else { continue }
        if isColumnMajor, place >= 0 { place = geometry.columnMajor(place) }
        indices[plane &* positions &+ position] = place < 0 ? -1 : Int64(base + place)
      }
    }
    let (elementType, shape) = results[0]
    var outputs = [Tensor(reals: values, shape: shape, elementType: elementType)]
    if outputCount > 1 { outputs.append(Tensor(indices, shape: shape)) }
    return outputs
  }
}

extension AveragePool {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "X").type
    try ElementTypeRule.floating.check(x, "X")
    let dimensions = try window.outputDimensions(x: x?.dimensions)
    return [x.map { TensorType($0.elementType, dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let x = try inputs.required(0, "X")
    let geometry = try window.geometry(input: Array(x.shape.dropFirst(2)))
    let volume = geometry.input.reduce(1, *)
    let planes = x.shape[0] * x.shape[1]
    let positions = geometry.output.reduce(1, *)
    let reals = x.reals()
    var values = [Double](repeating: 0, count: planes * positions)
    geometry.forEachWindow { position, lines in
      let covered = lines.reduce(0) { $0 + $1.count }
      let divisor =
        countsPadding ? geometry.paddedTapCount(position: position) : Double(covered)
      guard covered > 0 else { return }
      for plane in 0..<planes {
        let base = plane &* volume
        var sum = 0.0
        for line in lines {
          var index = base &+ line.start
          for _ in 0..<line.count {
            sum += reals[index]
            index &+= line.step
          }
        }
        values[plane &* positions &+ position] = sum / divisor
      }
    }
    return [Tensor(reals: values, shape: shape, elementType: elementType)]
  }
}

extension GlobalPool {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "X").type
    try ElementTypeRule.floating.check(x, "X")
    guard let dimensions = x?.dimensions else { return [x] }
    guard dimensions.count >= 2 else {
      throw .invalidRank(input: "X", found: dimensions.count, expected: "2 or more")
    }
    guard !dimensions.dropFirst(2).contains(.fixed(0)) else {
      throw .invalidShape(
        input: "X", found: x?.shape ?? [], expected: "spatial axes of one or more")
    }
    let ones = [Dimension](repeating: .fixed(1), count: dimensions.count - 2)
    return [x.map { TensorType($0.elementType, Array(dimensions.prefix(2)) + ones) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let (elementType, shape) = results[0]
    let x = try inputs.required(0, "X")
    let reals = x.reals()
    let planes = x.shape[0] * x.shape[1]
    let volume = planes == 0 ? 0 : reals.count / planes
    var values = [Double](repeating: 0, count: planes)
    for plane in 0..<planes {
      let range = (plane * volume)..<((plane + 1) * volume)
      switch statistic {
      case .average:
        var sum = 0.0
        for index in range { sum += reals[index] }
        values[plane] = sum / Double(volume)
      case .maximum:
        var best = elementType.lowestReal
        for index in range where reals[index] > best { best = reals[index] }
        values[plane] = best
      }
    }
    return [Tensor(reals: values, shape: shape, elementType: elementType)]
  }
}

extension ElementType {
  /// The least finite value of the type.
  var lowestReal: Double {
    switch self {
    case .float64: -Double.greatestFiniteMagnitude
    case .float32: -Double(Float.greatestFiniteMagnitude)
    case .float16: -65504
    case .bfloat16: -Double(Half.float(bfloat16: 0x7f7f))
    default: Double(integerRange?.lowerBound ?? 0)
    }
  }
}
