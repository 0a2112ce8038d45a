// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension ScatterElements {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...3)
    let data = try operands.required(0, "data").type
    let indices = try operands.required(1, "indices").type
    let updates = try operands.required(2, "updates").type
    try checkElementIndices(data?.dimensions, indices, axis: axis)
    try checkUpdates(updates, of: data, expected: indices?.dimensions, reduction)
    return [data]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    _ = try resultTypes(inputs, outputCount: outputCount)
    let data = try inputs.required(0, "data")
    let indices = try inputs.required(1, "indices")
    let positions = try elementPositions(indices, axis: axis, in: data.shape)
    return [try data.scattering(try inputs.required(2, "updates"), at: positions, reduction)]
  }
}

extension ScatterND {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...3)
    let data = try operands.required(0, "data").type
    let indices = try operands.required(1, "indices").type
    let updates = try operands.required(2, "updates").type
    if let indices { try checkIndexType(indices.elementType) }
    var expected: [Dimension]?
    if let dimensions = data?.dimensions, let tuples = indices?.dimensions {
      expected = try TupleRule(data: dimensions, indices: tuples, batch: 0)?.outputDimensions
    }
    try checkUpdates(updates, of: data, expected: expected, reduction)
    return [data]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    _ = try resultTypes(inputs, outputCount: outputCount)
    let data = try inputs.required(0, "data")
    let indices = try inputs.required(1, "indices")
    let starts = try tuplePositions(indices, batch: 0, in: data.shape)
    let block = data.shape.dropFirst(indices.shape.last ?? 0).reduce(1, *)
    let positions = linearPositions(of: [block], strides: [1])
    let all = starts.flatMap { start in positions.map { start + $0 } }
    return [try data.scattering(try inputs.required(2, "updates"), at: all, reduction)]
  }
}

extension OneHot {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...3)
    let indices = try operands.required(0, "indices").type
    let depth = try operands.required(1, "depth")
    let values = try operands.required(2, "values").type
    if let shape = values?.shape, shape != [2] {
      throw .invalidShape(input: "values", found: shape, expected: "[2]")
    }
    if let count = depth.knownCount, count != 1 {
      throw .invalidShape(
        input: "depth", found: depth.type?.shape ?? [], expected: "one element")
    }
    let extent = depth.knownContents?.first ?? .unknown
    guard extent.value ?? 0 >= 0 else {
      throw .invalidValue(input: "depth", found: "\(extent)", expected: "0 or more")
    }
    guard let elementType = values?.elementType else { return [nil] }
    guard var dimensions = indices?.dimensions else { return [TensorType(elementType, nil)] }
    dimensions.insert(extent, at: try Axes.normalized(axis, rank: dimensions.count + 1))
    return [TensorType(elementType, dimensions)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    let indices = try inputs.required(0, "indices")
    let values = try inputs.required(2, "values")
    let axis = try Axes.normalized(axis, rank: result.shape.count)
    let depth = result.shape[axis]
    let inner = result.shape[(axis + 1)...].reduce(1, *)
    let count = result.shape.reduce(1, *)
    var positions: [Int] = []
    for (place, index) in indices.integers().enumerated() where index >= -depth && index < depth {
      let hot = Int(index) + (index < 0 ? depth : 0)
      positions.append((place / inner * depth + hot) * inner + place % inner)
    }
    let (off, on) = (
      ElementBuffer(try values.moved(to: [1], sourceStrides: [0])),
      ElementBuffer(try values.moved(to: [1], sourceStrides: [0], start: 1))
    )
    var buffer = ElementBuffer(result.elementType, count: count, filledWith: off)
    let updates = ElementBuffer(
      result.elementType, count: positions.count, filledWith: on)
    try buffer.scatter(updates, to: positions)
    return [buffer.tensor(shape: result.shape)]
  }
}

private func checkUpdates(
  _ updates: TensorType?, of data: TensorType?, expected: [Dimension]?,
  _ reduction: ScatterReduction
) throws(OpError) {
  if let data, let updates, data.elementType != updates.elementType {
    throw .invalidElementType(
      input: "updates", found: updates.elementType, expected: data.elementType.rawValue)
  }
  if reduction != .none, data?.elementType == .bool {
    throw .invalidElementType(input: "data", found: .bool, expected: "a numeric type")
  }
  guard let expected, let found = updates?.dimensions else { return }
  let fits =
    expected.count == found.count
    && zip(expected, found).allSatisfy { Dimension.merged($0, $1) != nil }
  guard fits else {
    throw .invalidShape(
      input: "updates", found: found.map { $0.value ?? -1 },
      expected: expected.map(\.description).joined(separator: "×"))
  }
}

extension Tensor {
  /// The elements with updates written, or combined, at linear positions, one after another.
  fileprivate func scattering(
    _ updates: Tensor, at positions: [Int], _ reduction: ScatterReduction
  ) throws(OpError) -> Tensor {
    if reduction == .none {
      var buffer = ElementBuffer(self)
      try buffer.scatter(ElementBuffer(updates), to: positions)
      return buffer.tensor(shape: shape)
    }
    let combination = Variadic(reduction == .minimum ? .minimum : .maximum)
    if elementType.isFloatingPoint {
      var values = reals()
      for (position, update) in zip(positions, updates.reals()) {
        switch reduction {
        case .add: values[position] += update
        case .multiply: values[position] *= update
        default: values[position] = combination.realFunction(values[position], update)
        }
      }
      return Tensor(reals: values, shape: shape, elementType: elementType)
    }
    let flip = elementType == .uint64 ? Int64.min : 0
    var values = integers()
    for (position, update) in zip(positions, updates.integers()) {
      switch reduction {
      case .add: values[position] &+= update
      case .multiply: values[position] &*= update
      default:
        values[position] =
          combination.integerFunction(values[position] ^ flip, update ^ flip) ^ flip
      }
    }
    return Tensor(integers: values, shape: shape, elementType: elementType)
  }
}
