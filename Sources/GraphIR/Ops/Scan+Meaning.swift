// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Tensors of one shape, on their way to be stacked along a new axis.
struct GatheredSlices {
  private(set) var slices: [Tensor] = []
  private var byteCount = 0

  /// - Throws: `OpError` if the tensor differs from those before in type or shape, or there are
  ///   too many.
  mutating func append(_ tensor: Tensor) throws(OpError) {
    if let first = slices.first,
      first.shape != tensor.shape || first.elementType != tensor.elementType
    {
      throw .invalidShape(
        input: "gathered output", found: tensor.shape, expected: "\(first.shape), as before")
    }
    byteCount += tensor.bytes.count
    guard byteCount <= ResultLimit.byteCount else {
      throw .tooLarge(shape: [slices.count + 1] + tensor.shape)
    }
    slices.append(tensor)
  }

  /// The slices side by side along a new axis.
  ///
  /// - Parameter type: The type of a slice, for when there are none.
  func tensor(axis: Int, isReversed: Bool, ifEmpty type: TensorType?) throws(OpError) -> Tensor {
    guard let first = slices.first else {
      guard let type else { throw .notEvaluable(kind: "a gathered output without elements") }
      let slice = (type.dimensions ?? []).map { $0.value ?? 0 }
      let place = try Axes.normalized(axis, rank: slice.count + 1)
      return Tensor(
        zerosOf: type.elementType, shape: slice[..<place] + [0] + slice[place...])
    }
    let place = try Axes.normalized(axis, rank: first.rank + 1)
    let shape = Array(first.shape[..<place] + [slices.count] + first.shape[place...])
    let count = try ResultLimit.check(shape, first.elementType)
    let inner = first.shape[place...].reduce(1, *)
    let outer = first.shape[..<place].reduce(1, *)
    var result = ElementBuffer(first.elementType, count: count)
    for (index, slice) in slices.enumerated() {
      let position = isReversed ? slices.count - 1 - index : index
      try result.move(
        from: ElementBuffer(slice),
        axes: [
          MoveAxis(extent: outer, sourceStride: inner, targetStride: inner * slices.count),
          MoveAxis(extent: inner, sourceStride: 1, targetStride: 1),
        ], targetStart: position * inner)
    }
    return result.tensor(shape: shape)
  }
}

extension Tensor {
  /// The elements at one position of an axis, without that axis.
  func slice(_ position: Int, axis: Int) throws(OpError) -> Tensor {
    let inner = shape[(axis + 1)...].reduce(1, *)
    let outer = shape[..<axis].reduce(1, *)
    var remaining = shape
    remaining.remove(at: axis)
    return try moved(
      to: remaining,
      along: [
        MoveAxis(extent: outer, sourceStride: inner * shape[axis], targetStride: inner),
        MoveAxis(extent: inner, sourceStride: 1, targetStride: 1),
      ], start: position * inner)
  }
}

extension Scan {
  private var scannedCount: Int { inputAxes.count }

  private func check(_ inputCount: Int, _ outputCount: Int) throws(OpError) {
    guard stateCount >= 0, reversesInputs.count == scannedCount, scannedCount > 0,
      reversesOutputs.count == outputAxes.count
    else {
      throw .invalidAttribute(
        name: "scan_input_axes", found: "\(inputAxes.count)", expected: "one for each scanned input"
      )
    }
    guard inputCount >= stateCount + scannedCount else {
      throw .wrongInputCount(found: inputCount, expected: (stateCount + scannedCount)...Int.max)
    }
    try body.checkInputCount(inputCount)
    let outputs = stateCount + outputAxes.count
    try body.checkOutputCount(outputs...outputs)
    try checkOutputCount(outputCount, 0...outputs)
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try check(operands.count, outputCount)
    let states = operands.prefix(stateCount).map { $0?.type }
    var length = Dimension.unknown
    var slices: [TensorType?] = []
    for (operand, axis) in zip(operands.dropFirst(stateCount), inputAxes) {
      guard let type = operand?.type, var dimensions = type.dimensions else {
        slices.append(operand?.type.map { TensorType($0.elementType, nil) })
        continue
      }
      let place = try Axes.normalized(axis, rank: dimensions.count, name: "scan_input_axes")
      let extent = dimensions.remove(at: place)
      guard let merged = Dimension.merged(length, extent) else {
        throw .invalidShape(
          input: "scanned input", found: [extent.value ?? 0], expected: "\(length) slices")
      }
      length = merged
      slices.append(TensorType(type.elementType, dimensions))
    }
    let captured = operands.dropFirst(stateCount + scannedCount).map { $0?.type }
    var types = body.outputTypes(states + slices + captured)
    let kept = zip(states, types).map { TensorType.common($0, $1) }
    if kept != states { types = body.outputTypes(kept + slices + captured) }
    var results: [TensorType?] = kept
    for (type, axis) in zip(types.dropFirst(stateCount), outputAxes) {
      var result = type
      if let dimensions = type?.dimensions {
        let place = try Axes.normalized(
          axis, rank: dimensions.count + 1, name: "scan_output_axes")
        result?.dimensions?.insert(length, at: place)
      }
      results.append(result)
    }
    return Array(results.prefix(outputCount))
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    try check(inputs.count, outputCount)
    var given: [Tensor] = []
    for index in inputs.indices { given.append(try inputs.required(index, "input \(index)")) }
    var states = Array(given[..<stateCount])
    let scanned = Array(given[stateCount..<(stateCount + scannedCount)])
    let captured = Array(given[(stateCount + scannedCount)...])
    var places: [Int] = []
    for (tensor, axis) in zip(scanned, inputAxes) {
      places.append(try Axes.normalized(axis, rank: tensor.rank, name: "scan_input_axes"))
    }
    let length = scanned[0].shape[places[0]]
    for (tensor, place) in zip(scanned, places) where tensor.shape[place] != length {
      throw .invalidShape(
        input: "scanned input", found: tensor.shape, expected: "\(length) slices")
    }
    var gathered = [GatheredSlices](repeating: GatheredSlices(), count: outputAxes.count)
    for step in 0..<length {
      var slices: [Tensor] = []
      for (index, tensor) in scanned.enumerated() {
        let position = reversesInputs[index] ? length - 1 - step : step
        slices.append(try tensor.slice(position, axis: places[index]))
      }
      let results = try body.evaluate(states + slices + captured)
      states = Array(results[..<stateCount])
      for index in gathered.indices { try gathered[index].append(results[stateCount + index]) }
    }
    var results = states
    var types: [TensorType?] = Array(repeating: nil, count: outputAxes.count)
    if length == 0 {
      var slices: [TensorType?] = []
      for (tensor, place) in zip(scanned, places) {
        var shape = tensor.shape
        shape.remove(at: place)
        slices.append(TensorType(tensor.elementType, shape: shape))
      }
      let around = captured.map { Operand($0).type }
      types = Array(
        body.outputTypes(states.map { Operand($0).type } + slices + around).dropFirst(stateCount))
    }
    for (index, slices) in gathered.enumerated() {
      results.append(
        try slices.tensor(
          axis: outputAxes[index], isReversed: reversesOutputs[index],
          ifEmpty: types[index]))
    }
    return Array(results.prefix(outputCount))
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? { nil }
}
