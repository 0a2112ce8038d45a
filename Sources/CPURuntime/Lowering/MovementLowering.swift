// SPDX-License-Identifier: Apache-2.0
import CKernels
import GraphIR
import TensorCore

extension ProgramBuilder {
  /// The first input in the program's own memory, of an element type of whole bytes.
  func movable(_ node: Node) throws(OneDNNError) -> Placement? {
    guard let input = node.inputs.first.flatMap({ $0 }), let type = type(of: input),
      type.elementType.bitWidth >= 8, let present = try placement(of: input)
    else { return nil }
    if isInput(present) { return try dense(input, .plain) }
    return present
  }

  /// Gives the node's output the elements of `source`: a view where possible, else a copy.
  func setReshaped(
    _ source: Placement, of node: Node, value: ValueID, to shape: [Int]
  ) throws(OneDNNError) -> Bool {
    if let view = source.reshaped(to: shape) {
      setPlacement(view, of: value)
      return true
    }
    let preferred = preferredLayout(rank: shape.count)
    for layout in [preferred, preferred == .plain ? .channelsLast : .plain] {
      let target = allocate(source.elementType, shape, layout)
      guard let view = target.reshaped(to: source.shape) else { continue }
      addCopy(
        from: source, to: view,
        label: label(node, implementation: "swiftlet", precision: source.elementType.shortName))
      setPlacement(target, of: value)
      return true
    }
    let plain = allocate(source.elementType, source.shape, .plain)
    addCopy(
      from: source, to: plain,
      label: label(node, implementation: "swiftlet", precision: source.elementType.shortName))
    guard let view = plain.reshaped(to: shape) else { return false }
    setPlacement(view, of: value)
    return true
  }

  fileprivate func lowerReshape(_ node: Node) throws(OneDNNError) -> Bool {
    guard let output = node.outputs.first.flatMap({ $0 }), let shape = shape(of: output),
      let source = try movable(node)
    else { return false }
    return try setReshaped(source, of: node, value: output, to: shape)
  }

  /// The elements of a constant list of integers.
  fileprivate func integers(_ node: Node, _ index: Int) -> [Int]? {
    guard index < node.inputs.count else { return nil }
    return graph.constant(node.inputs[index])?.integers().map { Int($0) }
  }
}

extension Reshape: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    try builder.lowerReshape(node)
  }
}

extension Flatten: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    try builder.lowerReshape(node)
  }
}

extension Squeeze: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    try builder.lowerReshape(node)
  }
}

extension Unsqueeze: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    try builder.lowerReshape(node)
  }
}

extension Identity: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    try builder.lowerReshape(node)
  }
}

extension Transpose: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let output = node.outputs.first.flatMap({ $0 }), let source = try builder.movable(node)
    else { return false }
    let order = permutation ?? Array(source.shape.indices.reversed())
    guard order.sorted() == Array(source.shape.indices) else { return false }
    builder.setPlacement(source.transposed(order), of: output)
    return true
  }
}

extension Expand: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let output = node.outputs.first.flatMap({ $0 }), let shape = builder.shape(of: output),
      let view = try builder.movable(node)?.expanded(to: shape)
    else { return false }
    builder.setPlacement(view, of: output)
    return true
  }
}

extension Slice: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let output = node.outputs.first.flatMap({ $0 }), let shape = builder.shape(of: output),
      let starts = builder.integers(node, 1), var view = try builder.movable(node),
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

extension Split: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let source = try builder.movable(node) else { return false }
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

extension Concat: RegionLowerable {
  func lower(_ region: Region, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let output = builder.type(of: region.output), output.elementType.bitWidth >= 8,
      region.stages.isEmpty
    else { return false }
    let along = axis < 0 ? axis + output.shape.count : axis
    var parts: [(placement: Placement, start: Int)] = []
    var start = 0
    if region.outputCode == nil, region.isQuantized { return false }
    let isReal = output.elementType == .float32
    let layout = builder.preferredLayout(rank: output.shape.count)
    for input in region.inputs {
      guard let input, let type = builder.type(of: input)?.elementType else { return false }
      var present = try builder.placement(of: input)
      if let placed = present,
        builder.isInput(placed) || (isReal && placed.elementType != builder.realType)
      {
        present = try builder.dense(input, layout, as: isReal ? builder.realType : type)
      }
      guard let present else { return false }
      parts.append((present, start))
      start += present.shape[along]
    }
    let type = isReal ? builder.realType : output.elementType
    let target = builder.allocate(type, output.shape, layout)
    for (index, part) in parts.enumerated() {
      let place = target.sliced(axis: along, start: part.start, extent: part.placement.shape[along])
      if let to = region.outputCode, region.code(index) != to {
        guard
          try builder.addRecoding(
            part.placement, region.code(index), to: place, to,
            label(region, part.placement, builder))
        else { return false }
      } else {
        builder.addCopy(
          from: part.placement, to: place, label: label(region, part.placement, builder))
      }
    }
    builder.setPlacement(target, of: region.output)
    return true
  }

  private func label(
    _ region: Region, _ part: Placement, _ builder: ProgramBuilder
  ) -> StepLabel {
    builder.label(
      region.node, kind: kind, implementation: "swiftlet", precision: part.elementType.shortName)
  }
}

extension ProgramBuilder {
  /// Copies codes into a part of a tensor, converted to other codes.
  fileprivate func addRecoding(
    _ source: Placement, _ from: LinearCode?, to target: Placement, _ to: LinearCode,
    _ label: StepLabel
  ) throws(OneDNNError) -> Bool {
    guard let (toScale, toZero) = Region.scalar(to), let toType = to.elementType.kernel,
      let fromType = source.elementType.kernel
    else { return false }
    let (fromScale, fromZero) = Region.scalar(from) ?? (1, 0)
    let converted = allocate(to.elementType, source.shape, .channelsLast)
    var dense = source
    if !source.isDense(.channelsLast) {
      dense = allocate(source.elementType, source.shape, .channelsLast)
      addCopy(from: source, to: dense)
    }
    addConversion(
      from: dense, swk_format(type: fromType, scale: fromScale, zero_point: fromZero),
      to: converted, swk_format(type: toType, scale: toScale, zero_point: toZero), label: label)
    addCopy(from: converted, to: target, label: label)
    return true
  }
}

extension Pad: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard mode == .constant, let output = node.outputs.first.flatMap({ $0 }),
      let shape = builder.shape(of: output), let pads = builder.integers(node, 1),
      pads.count == 2 * shape.count, pads.allSatisfy({ $0 >= 0 }),
      node.inputs.count < 4 || node.inputs[3] == nil, let source = try builder.movable(node)
    else { return false }
    var filler = [UInt8](repeating: 0, count: source.elementType.bitWidth / 8)
    if node.inputs.count > 2, let value = node.inputs[2] {
      guard let constant = builder.graph.constant(value), constant.count == 1 else { return false }
      filler = constant.converted(to: source.elementType).bytes
    }
    let target = builder.allocate(source.elementType, shape, .channelsLast)
    var inner = target
    for axis in shape.indices {
      inner = inner.sliced(axis: axis, start: pads[axis], extent: source.shape[axis])
    }
    let bytes = filler
    let count = target.count
    let label = builder.label(
      node, implementation: "swiftlet", precision: source.elementType.shortName)
    builder.add(
      Step(label: label, reads: [], writes: [target.buffer]) { memory in
        let address = memory.address(target)
        return { _ in
          if bytes.allSatisfy({ $0 == bytes[0] }) {
            address.initializeMemory(
              as: UInt8.self, repeating: bytes[0], count: count * bytes.count)
          } else {
            for index in 0..<count {
              for (offset, byte) in bytes.enumerated() {
                address.storeBytes(
                  of: byte, toByteOffset: index * bytes.count + offset, as: UInt8.self)
              }
            }
          }
        }
      })
    builder.addCopy(from: source, to: inner, label: label)
    builder.setPlacement(target, of: output)
    return true
  }
}
