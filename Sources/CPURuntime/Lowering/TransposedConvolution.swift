// SPDX-License-Identifier: Apache-2.0
import COneDNN
import GraphIR
import TensorCore

extension ConvTranspose: RegionLowerable {
  /// oneDNN's deconvolution, on reals.
  func lower(_ region: Region, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    if region.codes.contains(where: { $0 != nil }) || region.outputCode != nil {
      return try region.lowerThroughReals(self, into: builder)
    }
    guard let input = region.input(0), let shape = builder.shape(of: input),
      (3...5).contains(shape.count), let weight = builder.graph.constant(region.input(1)),
      weight.rank == shape.count, group > 0, weight.shape[0] == shape[1],
      shape[1] % group == 0, region.givesReals(in: builder.graph),
      let output = builder.shape(of: region.output), output.count == shape.count,
      region.input(2) == nil || builder.graph.constant(region.input(2)) != nil,
      let pads = try? mirroredPads(
        input: Array(shape[2...]), kernel: Array(weight.shape[2...])),
      pads.prefix(shape.count - 2).allSatisfy({ $0 >= 0 }),
      let stages = ProductStages(region, channels: output[1], in: builder.graph),
      stages.bias == nil, let kind = builder.realType.oneDNN,
      var weights = region.constantReals(1, in: builder.graph)
    else { return false }
    if stages.unit != 1 { weights = weights.map { $0 / stages.unit } }
    let bias = stages.scaledBias(
      region.constantReals(2, in: builder.graph), channels: output[1])
    let rank = shape.count - 2
    let perGroup = (inputs: shape[1] / group, outputs: weight.shape[1])
    let kernel = Array(weight.shape[2...])
    let inner = kernel.reduce(1, *)
    let groups = group == 1 ? [] : [group]
    let groupStride = group == 1 ? [] : [perGroup.inputs * perGroup.outputs * inner]
    // The file's order is input channels first; oneDNN's is output channels first.
    let given = try MemoryDescriptor(
      dnnl_f32, shape: groups + [perGroup.outputs, perGroup.inputs] + kernel,
      strides: groupStride + [inner, perGroup.outputs * inner] + Tensor.strides(of: kernel))
    let any = try MemoryDescriptor(
      any: kind, shape: groups + [perGroup.outputs, perGroup.inputs] + kernel)
    guard let source = try builder.dense(input, .channelsLast, as: builder.realType),
      let (target, addendType) = try builder.productTarget(
        stages, builder.realType, output, .channelsLast, reading: source)
    else { return false }
    let attributes = try stages.attributes(addendType: addendType)
    let from = try builder.descriptor(source)
    let to = try builder.descriptor(target)
    let biasLayout =
      bias == nil ? nil : try MemoryDescriptor(dense: dnnl_f32, shape: [output[1]])
    let ones = [Int](repeating: 1, count: rank)
    var made: dnnl_primitive_desc_t?
    try check(
      dnnl_deconvolution_forward_primitive_desc_create(
        &made, builder.engine.handle, dnnl_forward_inference, dnnl_deconvolution_direct,
        from.handle, any.handle, biasLayout?.handle, to.handle,
        (strides.isEmpty ? ones : strides).map { dnnl_dim_t($0) },
        (dilations.isEmpty ? ones : dilations).map { dnnl_dim_t($0 - 1) },
        pads.prefix(rank).map { dnnl_dim_t($0) }, pads.suffix(rank).map { dnnl_dim_t($0) },
        attributes.handle), "transposed convolution")
    guard let made else {
      throw OneDNNError(call: "transposed convolution", status: dnnl_runtime_error.rawValue)
    }
    let primitive = try Primitive(owning: made)
    let wanted = try primitive.layout(of: DNNL_ARG_WEIGHTS)
    var arguments = [
      PrimitiveArgument(argument: DNNL_ARG_SRC, descriptor: from, placement: source),
      PrimitiveArgument(
        argument: DNNL_ARG_WEIGHTS, descriptor: wanted,
        placement: try builder.reordered(weights, from: given, to: wanted)),
      PrimitiveArgument(argument: DNNL_ARG_DST, descriptor: to, placement: target),
    ]
    if let bias, let biasLayout {
      arguments.append(
        PrimitiveArgument(
          argument: DNNL_ARG_BIAS, descriptor: biasLayout,
          placement: try builder.addConstant(bias)))
    }
    try builder.addPrimitive(
      primitive, arguments, writes: [DNNL_ARG_DST],
      label: builder.label(
        region.node, kind: "ConvTranspose", implementation: primitive.implementation,
        precision: builder.realType.shortName))
    builder.setPlacement(target, of: region.output)
    return true
  }
}
