// SPDX-License-Identifier: Apache-2.0
import COneDNN
import GraphIR
import TensorCore

extension Softmax: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let input = node.inputs.first.flatMap({ $0 }), let output = node.outputs[0],
      let type = builder.type(of: input), type.elementType == .float32, !type.shape.isEmpty,
      let source = try builder.dense(input, .plain, as: builder.realType)
    else { return false }
    var shape = type.shape
    var along = axis < 0 ? axis + shape.count : axis
    guard shape.indices.contains(along) else { return false }
    if flattensTrailingAxes {
      shape = [shape[..<along].reduce(1, *), shape[along...].reduce(1, *)]
      along = 1
    }
    let target = builder.allocate(builder.realType, type.shape, .plain)
    let from = try builder.descriptor(source, shape: shape, strides: Tensor.strides(of: shape))
    let attributes = try PrimitiveAttributes()
    var made: dnnl_primitive_desc_t?
    try check(
      dnnl_softmax_forward_primitive_desc_create(
        &made, builder.engine.handle, dnnl_forward_inference,
        isLogarithm ? dnnl_softmax_log : dnnl_softmax_accurate, from.handle, from.handle,
        Int32(along), attributes.handle), "softmax")
    guard let made else {
      throw OneDNNError(call: "softmax", status: dnnl_runtime_error.rawValue)
    }
    let primitive = try Primitive(owning: made)
    try builder.addPrimitive(
      primitive,
      [
        PrimitiveArgument(argument: DNNL_ARG_SRC, descriptor: from, placement: source),
        PrimitiveArgument(argument: DNNL_ARG_DST, descriptor: from, placement: target),
      ], writes: [DNNL_ARG_DST],
      label: builder.label(
        node, implementation: primitive.implementation, precision: builder.realType.shortName))
    builder.setPlacement(target, of: output)
    return true
  }
}

extension BatchNormalization: RegionLowerable {
  func lower(_ region: Region, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard !trainingMode, !region.isQuantized, region.outputCode == nil, region.addends.isEmpty,
      let input = region.input(0), let type = builder.type(of: input), type.elementType == .float32,
      (2...5).contains(type.shape.count)
    else { return false }
    let parameters = (1...4).compactMap { builder.graph.constant(region.input($0))?.floats() }
    guard parameters.count == 4, parameters.allSatisfy({ $0.count == type.shape[1] }),
      let source = try builder.dense(input, .channelsLast, as: builder.realType)
    else { return false }
    let attributes = try PrimitiveAttributes()
    for stage in region.stages {
      guard case .activation(let function) = stage, function == .relu, let step = Eltwise(function)
      else { return false }
      try attributes.appendEltwise(step)
    }
    let target =
      try builder.claim(input, .channelsLast, as: builder.realType)
      ?? builder.allocate(builder.realType, type.shape, .channelsLast)
    let from = try builder.descriptor(source)
    let flags = dnnl_use_global_stats.rawValue | dnnl_use_scale.rawValue | dnnl_use_shift.rawValue
    var made: dnnl_primitive_desc_t?
    try check(
      dnnl_batch_normalization_forward_primitive_desc_create(
        &made, builder.engine.handle, dnnl_forward_inference, from.handle, from.handle, epsilon,
        flags, attributes.handle), "batch normalization")
    guard let made else {
      throw OneDNNError(call: "batch normalization", status: dnnl_runtime_error.rawValue)
    }
    let primitive = try Primitive(owning: made)
    let vector = try MemoryDescriptor(dense: dnnl_f32, shape: [type.shape[1]])
    let roles = [DNNL_ARG_SCALE, DNNL_ARG_SHIFT, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE]
    var arguments = [
      PrimitiveArgument(argument: DNNL_ARG_SRC, descriptor: from, placement: source),
      PrimitiveArgument(argument: DNNL_ARG_DST, descriptor: from, placement: target),
    ]
    for (role, values) in zip(roles, parameters) {
      arguments.append(
        PrimitiveArgument(
          argument: role, descriptor: vector, placement: try builder.addConstant(values)))
    }
    try builder.addPrimitive(
      primitive, arguments, writes: [DNNL_ARG_DST],
      label: builder.label(
        region.node, kind: kind, implementation: primitive.implementation,
        precision: builder.realType.shortName))
    builder.setPlacement(target, of: region.output)
    return true
  }
}

extension LayerNormalization: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard node.outputs.count == 1, let input = node.inputs.first.flatMap({ $0 }),
      let output = node.outputs[0], let type = builder.type(of: input),
      type.elementType == .float32, (2...5).contains(type.shape.count),
      axis == -1 || axis == type.shape.count - 1, let last = type.shape.last,
      let scale = builder.graph.constant(node.inputs[1])?.floats(), scale.count == last,
      let source = try builder.dense(input, .plain, as: builder.realType)
    else { return false }
    var shift = [Float](repeating: 0, count: last)
    if node.inputs.count > 2, let bias = node.inputs[2] {
      guard let values = builder.graph.constant(bias)?.floats(), values.count == last else {
        return false
      }
      shift = values
    }
    let target = builder.allocate(builder.realType, type.shape, .plain)
    let from = try builder.descriptor(source)
    let attributes = try PrimitiveAttributes()
    var made: dnnl_primitive_desc_t?
    try check(
      dnnl_layer_normalization_forward_primitive_desc_create(
        &made, builder.engine.handle, dnnl_forward_inference, from.handle, from.handle, nil,
        epsilon, dnnl_use_scale.rawValue | dnnl_use_shift.rawValue, attributes.handle),
      "layer normalization")
    guard let made else {
      throw OneDNNError(call: "layer normalization", status: dnnl_runtime_error.rawValue)
    }
    let primitive = try Primitive(owning: made)
    let vector = try MemoryDescriptor(dense: dnnl_f32, shape: [last])
    try builder.addPrimitive(
      primitive,
      [
        PrimitiveArgument(argument: DNNL_ARG_SRC, descriptor: from, placement: source),
        PrimitiveArgument(
          argument: DNNL_ARG_SCALE, descriptor: vector, placement: try builder.addConstant(scale)),
        PrimitiveArgument(
          argument: DNNL_ARG_SHIFT, descriptor: vector, placement: try builder.addConstant(shift)),
        PrimitiveArgument(argument: DNNL_ARG_DST, descriptor: from, placement: target),
      ], writes: [DNNL_ARG_DST],
      label: builder.label(
        node, implementation: primitive.implementation, precision: builder.realType.shortName))
    builder.setPlacement(target, of: output)
    return true
  }
}
