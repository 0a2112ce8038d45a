// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension TrainingBuilder {
  /// The first input in the program's own memory, of an element type of whole bytes.
  fileprivate func movable(_ node: Node) -> Placement? {
    guard let input = node.inputs.first.flatMap({ $0 }), let type = type(of: input),
      type.elementType.bitWidth >= 8, let present = placement(of: input)
    else { return nil }
    return isInput(present) ? dense(input, .plain) : present
  }

  /// Gives the node's output the elements of its first input: a view where possible, else a copy.
  fileprivate func lowerReshape(_ node: Node) -> Bool {
    guard let output = node.outputs.first.flatMap({ $0 }), let shape = shape(of: output),
      let source = movable(node)
    else { return false }
    if let view = source.reshaped(to: shape) {
      setPlacement(view, of: output)
      return true
    }
    let label = label(node, implementation: "swiftlet", precision: source.elementType)
    for layout in [Layout.channelsLast, .plain] {
      let target = allocate(source.elementType, shape, layout)
      guard let view = target.reshaped(to: source.shape) else { continue }
      addCopy(from: source, to: view, label: label)
      setPlacement(target, of: output)
      return true
    }
    let plain = allocate(source.elementType, source.shape, .plain)
    guard let view = plain.reshaped(to: shape) else { return false }
    addCopy(from: source, to: plain, label: label)
    setPlacement(view, of: output)
    return true
  }

  /// The elements of a constant list of integers.
  fileprivate func integers(_ node: Node, _ index: Int) -> [Int]? {
    guard index < node.inputs.count else { return nil }
    return graph.constant(node.inputs[index])?.integers().map { Int($0) }
  }

  /// A tensor of zeros with `source` laid into the part of it that `place` cuts out.
  fileprivate func addLaidIntoZeros(
    _ node: Node, _ source: Placement, shape: [Int], to output: ValueID,
    _ place: (Placement) -> Placement
  ) {
    let target = allocate(source.elementType, shape, .channelsLast)
    let inner = place(target)
    let label = label(node, implementation: "swiftlet", precision: source.elementType)
    addSharded(label, reads: [], writes: [target], alike: shape) { memory, part in
      let address = memory.address(part(target))
      let count = part(target).byteCount
      return { address.initializeMemory(as: UInt8.self, repeating: 0, count: count) }
    }
    addCopy(from: source, to: inner, label: label)
    setPlacement(target, of: output)
  }
}

extension Reshape: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    builder.lowerReshape(node)
  }
}

extension Flatten: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    builder.lowerReshape(node)
  }
}

extension Squeeze: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    builder.lowerReshape(node)
  }
}

extension Unsqueeze: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    builder.lowerReshape(node)
  }
}

extension Identity: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    builder.lowerReshape(node)
  }
}

extension StopGradient: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    builder.lowerReshape(node)
  }
}

extension Transpose: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let output = node.outputs.first.flatMap({ $0 }), let source = builder.movable(node) else {
      return false
    }
    let order = permutation ?? Array(source.shape.indices.reversed())
    guard order.sorted() == Array(source.shape.indices) else { return false }
    builder.setPlacement(source.transposed(order), of: output)
    return true
  }
}

extension Expand: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let output = node.outputs.first.flatMap({ $0 }), let shape = builder.shape(of: output),
      let view = builder.movable(node)?.expanded(to: shape)
    else { return false }
    builder.setPlacement(view, of: output)
    return true
  }
}

extension Slice: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let output = node.outputs.first.flatMap({ $0 }), let shape = builder.shape(of: output),
      let starts = builder.integers(node, 1), var view = builder.movable(node),
      node.inputs.count < 4 || node.inputs[3] == nil || builder.integers(node, 3) != nil,
      node.inputs.count < 5 || node.inputs[4] == nil || builder.integers(node, 4) != nil
    else { return false }
    let rank = view.shape.count
    let axes = builder.integers(node, 3) ?? Array(starts.indices)
    let steps = builder.integers(node, 4) ?? Array(repeating: 1, count: starts.count)
    guard axes.count == starts.count, steps.count == starts.count, shape.count == rank else {
      return false
    }
    for (index, rawAxis) in axes.enumerated() {
      let axis = rawAxis < 0 ? rawAxis + rank : rawAxis
      let extent = view.shape[axis]
      var start = starts[index] < 0 ? starts[index] + extent : starts[index]
      start = steps[index] > 0 ? min(max(start, 0), extent) : min(max(start, 0), max(extent - 1, 0))
      view = view.sliced(axis: axis, start: start, extent: shape[axis], step: steps[index])
    }
    guard view.shape == shape else { return false }
    builder.setPlacement(view, of: output)
    return true
  }
}

extension SliceGradient: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let output = node.outputs[0], let shape = builder.shape(of: output),
      let source = builder.movable(node), source.shape.count == shape.count,
      axes.allSatisfy({ shape.indices.contains($0) })
    else { return false }
    builder.addLaidIntoZeros(node, source, shape: shape, to: output) { target in
      var place = target
      for (index, axis) in axes.enumerated() {
        place = place.sliced(
          axis: axis, start: starts[index], extent: source.shape[axis], step: steps[index])
      }
      return place
    }
    return true
  }
}

extension Pad: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard mode == .constant, let output = node.outputs.first.flatMap({ $0 }),
      let shape = builder.shape(of: output), let pads = builder.integers(node, 1),
      pads.count == 2 * shape.count, node.inputs.count < 4 || node.inputs[3] == nil,
      var source = builder.movable(node), source.shape.count == shape.count
    else { return false }
    if node.inputs.count > 2, let value = node.inputs[2] {
      guard builder.graph.constant(value)?.reals().allSatisfy({ $0 == 0 }) == true else {
        return false
      }
    }
    for axis in shape.indices {
      let (begin, end) = (min(pads[axis], 0), min(pads[axis + shape.count], 0))
      guard source.shape[axis] + begin + end >= 0 else { return false }
      source = source.sliced(axis: axis, start: -begin, extent: source.shape[axis] + begin + end)
    }
    if pads.allSatisfy({ $0 <= 0 }) {
      builder.setPlacement(source, of: output)
      return true
    }
    builder.addLaidIntoZeros(node, source, shape: shape, to: output) { target in
      var place = target
      for axis in shape.indices {
        place = place.sliced(axis: axis, start: max(pads[axis], 0), extent: source.shape[axis])
      }
      return place
    }
    return true
  }
}

extension Split: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let source = builder.movable(node) else { return false }
    let along = axis < 0 ? axis + source.shape.count : axis
    var start = 0
    var parts: [(ValueID, Placement)] = []
    for output in node.outputs {
      guard let output, let shape = builder.shape(of: output), shape.count == source.shape.count
      else { return false }
      parts.append((output, source.sliced(axis: along, start: start, extent: shape[along])))
      start += shape[along]
    }
    for (output, part) in parts { builder.setPlacement(part, of: output) }
    return true
  }
}

extension Concat: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    let inputs = node.inputs.compactMap { $0 }
    guard let output = node.outputs.first.flatMap({ $0 }), let shape = builder.shape(of: output),
      inputs.count == node.inputs.count, let type = builder.workingType(inputs)
    else { return false }
    let along = axis < 0 ? axis + shape.count : axis
    let parts = inputs.compactMap { input -> Placement? in
      guard let present = builder.placement(of: input) else { return nil }
      if present.elementType == type, !builder.isInput(present) { return present }
      return builder.dense(input, .channelsLast, as: type)
    }
    guard parts.count == inputs.count, parts.allSatisfy({ $0.shape.count == shape.count }) else {
      return false
    }
    let target = builder.allocate(type, shape, .channelsLast)
    let label = builder.label(node, implementation: "swiftlet", precision: type)
    var start = 0
    for part in parts {
      builder.addCopy(
        from: part, to: target.sliced(axis: along, start: start, extent: part.shape[along]),
        label: label)
      start += part.shape[along]
    }
    builder.setPlacement(target, of: output)
    return true
  }
}
