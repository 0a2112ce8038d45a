// SPDX-License-Identifier: Apache-2.0
public import GraphIR
import TensorCore

extension GradientBuilder {
  /// The rule of operators that keep the elements in order.
  fileprivate mutating func addReshapedGradient() throws(AutodiffError) {
    contribute(try reshaped(outputGradient(), like: input(0)), to: 0)
  }
}

extension Reshape: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    try builder.addReshapedGradient()
  }
}

extension Flatten: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    try builder.addReshapedGradient()
  }
}

extension Squeeze: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    try builder.addReshapedGradient()
  }
}

extension Unsqueeze: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    try builder.addReshapedGradient()
  }
}

extension Transpose: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let inverse = permutation.map { order in
      order.indices.sorted { order[$0] < order[$1] }
    }
    builder.contribute(try builder.add(Transpose(permutation: inverse), gradient), to: 0)
  }
}

extension Expand: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    builder.contribute(try builder.summed(builder.outputGradient(), like: builder.input(0)), to: 0)
  }
}

extension DepthToSpace: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let op = SpaceToDepth(blockSize: blockSize, order: order)
    builder.contribute(try builder.add(op, builder.outputGradient()), to: 0)
  }
}

extension SpaceToDepth: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let op = DepthToSpace(blockSize: blockSize, order: order)
    builder.contribute(try builder.add(op, builder.outputGradient()), to: 0)
  }
}

extension Concat: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let inputs = builder.node.inputs.compactMap { $0 }
    let rank = try builder.dimensions(gradient).count
    let place = axis < 0 ? axis + rank : axis
    var lengths: [Int] = []
    for input in inputs {
      if let length = try builder.dimensions(input)[place].value { lengths.append(length) }
    }
    let sizes: ValueID
    if lengths.count == inputs.count {
      sizes = builder.list(lengths)
    } else {
      var parts: [ValueID] = []
      for input in inputs {
        parts.append(try builder.add(Shape(start: place, end: place + 1), input))
      }
      sizes = try builder.add(Concat(axis: 0), parts)[0]
    }
    let parts = try builder.add(Split(axis: place), [gradient, sizes], outputs: inputs.count)
    for (index, part) in parts.enumerated() { builder.contribute(part, to: index) }
  }
}

extension Split: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    var parts: [ValueID] = []
    for index in builder.node.outputs.indices {
      if let part = try builder.outputGradient(index) {
        parts.append(part)
      } else {
        parts.append(try builder.zeros(like: builder.output(index)))
      }
    }
    builder.contribute(try builder.add(Concat(axis: axis), parts)[0], to: 0)
  }
}

extension Slice: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let dimensions = try builder.dimensions(builder.input(0))
    let operands = builder.node.inputs.map { builder.operand($0) }
    let places: [(axis: Int, start: Int, step: Int, extent: Int)]?
    do {
      places = try self.places(operands, dimensions: dimensions)
    } catch {
      throw .invalidNode(node: builder.node.name, kind: kind, error: error)
    }
    guard let places else { throw builder.unknown("where it cuts, and the extents that it cuts") }
    if places.isEmpty {
      builder.contribute(gradient, to: 0)
      return
    }
    let op = SliceGradient(
      axes: places.map(\.axis), starts: places.map(\.start), steps: places.map(\.step),
      extents: places.map(\.extent))
    builder.contribute(try builder.add(op, gradient), to: 0)
  }
}

extension Pad: Differentiable {
  /// Padding the other way round cuts off what was added.
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    guard mode == .constant else {
      throw builder.error("padding by \(mode.rawValue) has no rule (expected constant)")
    }
    guard !builder.needsGradient(2) else { throw builder.error("its constant has no gradient") }
    let gradient = try builder.outputGradient()
    let pads = try builder.input(1)
    let inverse: ValueID
    if let numbers = builder.operand(pads)?.knownIntegers {
      inverse = builder.list(numbers.map { -$0 })
    } else {
      inverse = try builder.add(Unary(.negate), pads)
    }
    builder.contribute(
      try builder.add(Pad(), gradient, inverse, nil, builder.optionalInput(3)), to: 0)
  }
}

extension Gather: Differentiable {
  /// Adds the rows of the gradient to the rows that they came from.
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let (x, indices) = (try builder.input(0), try builder.input(1))
    let rank = try builder.dimensions(x).count
    let inserted = try builder.dimensions(indices).count
    let place = axis < 0 ? axis + rank : axis
    let tuples = try builder.add(Unsqueeze(), indices, builder.list([inserted]))
    let op = ScatterND(reduction: .add)
    let zeros = try builder.zeros(like: x)
    if place == 0 {
      builder.contribute(try builder.add(op, zeros, tuples, gradient), to: 0)
      return
    }
    let order = [place] + (0..<rank).filter { $0 != place }
    let moved = Array(place..<(place + inserted))
    let rows = moved + (0..<(rank - 1 + inserted)).filter { !moved.contains($0) }
    let sums = try builder.add(
      op, builder.add(Transpose(permutation: order), zeros), tuples,
      builder.add(Transpose(permutation: rows), gradient))
    let inverse = order.indices.sorted { order[$0] < order[$1] }
    builder.contribute(try builder.add(Transpose(permutation: inverse), sums), to: 0)
  }
}

extension GatherElements: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let zeros = try builder.zeros(like: builder.input(0))
    let op = ScatterElements(axis: axis, reduction: .add)
    builder.contribute(try builder.add(op, zeros, builder.input(1), gradient), to: 0)
  }
}

extension Trilu: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    builder.contribute(try builder.add(self, gradient, builder.optionalInput(1)), to: 0)
  }
}
