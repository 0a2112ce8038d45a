// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension Transpose {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    guard let type = try operands.required(0, "data").type else { return [nil] }
    guard let dimensions = type.dimensions else {
      let rank = permutation?.count
      return [TensorType(type.elementType, rank.map { Array(repeating: .unknown, count: $0) })]
    }
    let order = try order(rank: dimensions.count)
    return [TensorType(type.elementType, order.map { dimensions[$0] })]
  }

  /// The permutation for a tensor of the given rank.
  ///
  /// - Throws: `OpError.invalidAttribute` if it does not list each axis once.
  package func order(rank: Int) throws(OpError) -> [Int] {
    let order = permutation ?? Array((0..<rank).reversed())
    guard order.sorted() == Array(0..<rank) else {
      throw .invalidAttribute(
        name: "perm", found: "\(order)", expected: "each axis from 0 to \(rank - 1) once")
    }
    return order
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    movedContents(operands)
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    _ = try resultTypes(inputs, outputCount: outputCount)
    let data = try inputs.required(0, "data")
    return [try data.permuted(try order(rank: data.rank))]
  }
}

extension Expand {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    let target = try operands.required(1, "shape").checkedContents("shape")
    guard let type = try operands.required(0, "input").type else { return [nil] }
    guard let dimensions = type.dimensions, let target else {
      return [TensorType(type.elementType, nil)]
    }
    guard target.allSatisfy({ $0.value ?? 0 >= 0 }),
      let result = Broadcasting.dimensions([dimensions, target])
    else {
      throw .invalidValue(
        input: "shape", found: "\(target)",
        expected: "one that broadcasts with \(dimensions.map(\.description).joined(separator: "×"))"
      )
    }
    return [TensorType(type.elementType, result)]
  }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? {
    guard let contents = operands.optional(0)?.knownContents,
      let shape = operands.optional(1)?.knownIntegers, shape.count <= 1
    else { return nil }
    let count = shape.first ?? 1
    if contents.count != 1 || count == 1 { return contents }
    guard count >= 0, count <= Operand.contentsLimit else { return nil }
    return Array(repeating: contents[0], count: count)
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    return [try inputs.required(0, "input").broadcast(to: result.shape)]
  }
}

extension Tile {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    let repeats = try operands.required(1, "repeats").checkedContents("repeats")
    guard let type = try operands.required(0, "input").type else { return [nil] }
    guard let dimensions = type.dimensions else { return [TensorType(type.elementType, nil)] }
    guard let repeats else {
      return [TensorType(type.elementType, dimensions.map { _ in .unknown })]
    }
    guard repeats.count == dimensions.count, repeats.allSatisfy({ $0.value ?? 0 >= 0 }) else {
      throw .invalidValue(
        input: "repeats", found: "\(repeats)", expected: "\(dimensions.count) numbers from 0 on")
    }
    return [TensorType(type.elementType, zip(dimensions, repeats).map { $0 * $1 })]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    let data = try inputs.required(0, "input")
    let repeats = try inputs.required(1, "repeats").integers()
    let sourceStrides = Tensor.strides(of: data.shape)
    let targetStrides = Tensor.strides(of: result.shape)
    var axes: [MoveAxis] = []
    for axis in data.shape.indices {
      let extent = data.shape[axis]
      axes.append(
        MoveAxis(
          extent: Int(repeats[axis]), sourceStride: 0,
          targetStride: targetStrides[axis] * extent))
      axes.append(
        MoveAxis(
          extent: extent, sourceStride: sourceStrides[axis], targetStride: targetStrides[axis]))
    }
    return [try data.moved(to: result.shape, along: axes)]
  }
}

extension DepthToSpace {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    guard let type = try operands.required(0, "input").type else { return [nil] }
    let block = try checkedBlock(blockSize)
    guard let dimensions = type.dimensions else { return [TensorType(type.elementType, nil)] }
    try checkRank4(dimensions)
    if let channels = dimensions[1].value, channels % (block * block) != 0 {
      throw .invalidShape(
        input: "input", found: dimensions.map { $0.value ?? -1 },
        expected: "a multiple of \(block * block) channels")
    }
    let result = [
      dimensions[0], dimensions[1] / .fixed(block * block), dimensions[2] * .fixed(block),
      dimensions[3] * .fixed(block),
    ]
    return [TensorType(type.elementType, result)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    let data = try inputs.required(0, "input")
    let (n, c, h, w) = (data.shape[0], result.shape[1], data.shape[2], data.shape[3])
    let moved =
      switch order {
      case .depthColumnRow:
        try data.viewed(as: [n, blockSize, blockSize, c, h, w]).permuted([0, 3, 4, 1, 5, 2])
      case .columnRowDepth:
        try data.viewed(as: [n, c, blockSize, blockSize, h, w]).permuted([0, 1, 4, 2, 5, 3])
      }
    return [try moved.viewed(as: result.shape)]
  }
}

extension SpaceToDepth {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    guard let type = try operands.required(0, "input").type else { return [nil] }
    let block = try checkedBlock(blockSize)
    guard let dimensions = type.dimensions else { return [TensorType(type.elementType, nil)] }
    try checkRank4(dimensions)
    for axis in 2...3 where (dimensions[axis].value ?? 0) % block != 0 {
      throw .invalidShape(
        input: "input", found: dimensions.map { $0.value ?? -1 },
        expected: "spatial extents that are multiples of \(block)")
    }
    let result = [
      dimensions[0], dimensions[1] * .fixed(block * block), dimensions[2] / .fixed(block),
      dimensions[3] / .fixed(block),
    ]
    return [TensorType(type.elementType, result)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    let data = try inputs.required(0, "input")
    let (n, c, h, w) = (data.shape[0], data.shape[1], result.shape[2], result.shape[3])
    let blocks = try data.viewed(as: [n, c, h, blockSize, w, blockSize])
    let permutation = order == .depthColumnRow ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4]
    return [try blocks.permuted(permutation).viewed(as: result.shape)]
  }
}

private func checkedBlock(_ size: Int) throws(OpError) -> Int {
  guard size > 0, size < 1 << 16 else {
    throw .invalidAttribute(name: "blocksize", found: "\(size)", expected: "1…65535")
  }
  return size
}

private func checkRank4(_ dimensions: [Dimension]) throws(OpError) {
  guard dimensions.count == 4 else {
    throw .invalidRank(input: "input", found: dimensions.count, expected: "4")
  }
}
