// SPDX-License-Identifier: Apache-2.0
import CKernels
import GraphIR
import TensorCore

extension QuantizeLinear: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let input = node.inputs.first.flatMap({ $0 }), let output = node.outputs[0],
      let shape = builder.shape(of: input),
      let type = builder.type(of: output)?.elementType,
      type == .uint8 || type == .int8 || type.isWideCode, blockSize == 0,
      builder.graph.type(input)?.elementType == .float32,
      let scale = builder.graph.constant(node.inputs[1]), scale.count == 1,
      let factor = scale.floats().first
    else { return false }
    var zeroPoint: Int64 = 0
    if node.inputs.count > 2, node.inputs[2] != nil {
      guard let stored = builder.graph.constant(node.inputs[2])?.integers(), stored.count == 1
      else { return false }
      zeroPoint = stored[0]
    }
    let label = builder.label(node, implementation: "swiftlet", precision: type.shortName)
    guard let to = type.kernel else {
      guard
        let codes = try builder.narrowed(
          input, to: type, scale: factor, zeroPoint: Int32(zeroPoint), label: label)
      else { return false }
      builder.setPlacement(codes, of: output)
      return true
    }
    let format = swk_format(type: to, scale: factor, zero_point: Int32(zeroPoint))
    if let present = try builder.placement(of: input), present.elementType == .float32,
      shape.count >= 3, present.offset == 0, present.isDense(.plain),
      builder.preferredLayout(rank: shape.count) == .channelsLast,
      !present.isDense(.channelsLast) || builder.isInput(present)
    {
      let target = builder.allocate(type, shape, .channelsLast)
      builder.addChannelsLast(from: present, to: target, format: format)
      builder.setPlacement(target, of: output)
      return true
    }
    if let present = try builder.placement(of: input), !builder.isInput(present),
      present.count > 0, present.isPacked, let from = present.elementType.kernel
    {
      var target = builder.allocate(type, shape, .plain)
      target.strides = present.strides
      builder.addConversion(
        from: present, swk_format(type: from, scale: 1, zero_point: 0), to: target, format,
        label: label)
      builder.setPlacement(target, of: output)
      return true
    }
    guard let (source, layout) = try builder.anyDense(input), let from = source.elementType.kernel
    else { return false }
    let target = builder.allocate(type, shape, layout)
    builder.addConversion(
      from: source, swk_format(type: from, scale: 1, zero_point: 0), to: target, format,
      label: label)
    builder.setPlacement(target, of: output)
    return true
  }
}

extension DequantizeLinear: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let input = node.inputs.first.flatMap({ $0 }), let output = node.outputs[0],
      let type = builder.type(of: input)?.elementType,
      type == .uint8 || type == .int8 || type.isWideCode, blockSize == 0,
      let scale = builder.graph.constant(node.inputs[1]), scale.count == 1,
      let factor = scale.floats().first
    else { return false }
    var zeroPoint: Int64 = 0
    if node.inputs.count > 2, node.inputs[2] != nil {
      guard let stored = builder.graph.constant(node.inputs[2])?.integers(), stored.count == 1
      else { return false }
      zeroPoint = stored[0]
    }
    let code = LinearCode(elementType: type, scales: [factor], zeroPoints: [Int32(zeroPoint)])
    guard let real = try builder.dequantized(input, code) else { return false }
    builder.setPlacement(real, of: output)
    return true
  }
}
