// SPDX-License-Identifier: Apache-2.0
import COneDNN
import GraphIR
import TensorCore

extension Conv: RegionLowerable {
  func lower(_ region: Region, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let input = region.input(0), let shape = builder.shape(of: input),
      (3...5).contains(shape.count), let weight = builder.graph.constant(region.input(1)),
      weight.rank == shape.count, group > 0, weight.shape[0] % group == 0,
      region.input(2) == nil || builder.graph.constant(region.input(2)) != nil,
      let geometry = try? WindowGeometry(
        input: Array(shape[2...]), kernel: Array(weight.shape[2...]), strides: strides,
        dilations: dilations, padding: padding)
    else { return false }
    let product = ConvolutionProduct(
      region: region, input: input, shape: shape, weight: weight, group: group,
      geometry: geometry)
    if region.isQuantized, builder.precision != .fp32 {
      if try product.lowerDepthwise(into: builder) { return true }
      if try product.lowerInteger(into: builder) { return true }
    }
    return region.code(0) == nil && region.outputCode == nil
      ? try product.lowerReal(into: builder) : try region.lowerThroughReals(self, into: builder)
  }
}

/// A convolution with constant weights and what is fused around it.
struct ConvolutionProduct {
  let region: Region
  let input: ValueID
  let shape: [Int]
  let weight: Tensor
  let group: Int
  let geometry: WindowGeometry

  var outputShape: [Int] { [shape[0], weight.shape[0]] + geometry.output }

  /// Weights with the group as an axis of its own, where there are groups.
  var groupedShape: [Int] {
    group == 1
      ? weight.shape
      : [group, weight.shape[0] / group] + Array(weight.shape.dropFirst())
  }

  func lowerReal(into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let stages = ProductStages(region, channels: outputShape[1], in: builder.graph),
      stages.bias == nil,
      var weights = region.constantReals(1, in: builder.graph)
    else { return false }
    if stages.unit != 1 { weights = weights.map { $0 / stages.unit } }
    let type = builder.realType
    guard let source = try builder.dense(input, .channelsLast, as: type),
      let (target, addendType) = try builder.productTarget(
        stages, type, outputShape, .channelsLast, reading: source), let kind = type.oneDNN
    else { return false }
    let attributes = try stages.attributes(addendType: addendType)
    let bias = stages.scaledBias(
      region.constantReals(2, in: builder.graph), channels: outputShape[1])
    let primitive = try makePrimitive(
      builder, source: source, target: target, weightType: kind, hasBias: bias != nil, attributes)
    try addStep(
      builder, primitive, source: source, target: target,
      weights: weights, weightType: dnnl_f32, bias: bias, extra: [], precision: type)
    return true
  }

  /// The primitive with the weights' layout left to it.
  func makePrimitive(
    _ builder: ProgramBuilder, source: Placement, target: Placement,
    weightType: dnnl_data_type_t, hasBias: Bool, _ attributes: PrimitiveAttributes
  ) throws(OneDNNError) -> Primitive {
    let from = try builder.descriptor(source)
    let to = try builder.descriptor(target)
    let weights = try MemoryDescriptor(any: weightType, shape: groupedShape)
    let bias = hasBias ? try MemoryDescriptor(dense: dnnl_f32, shape: [outputShape[1]]) : nil
    var made: dnnl_primitive_desc_t?
    try check(
      dnnl_convolution_forward_primitive_desc_create(
        &made, builder.engine.handle, dnnl_forward_inference, dnnl_convolution_direct,
        from.handle, weights.handle, bias?.handle, to.handle,
        geometry.strides.map { dnnl_dim_t($0) }, geometry.dilations.map { dnnl_dim_t($0 - 1) },
        geometry.padsBegin.map { dnnl_dim_t($0) }, geometry.padsEnd.map { dnnl_dim_t($0) },
        attributes.handle), "convolution")
    guard let made else {
      throw OneDNNError(call: "convolution", status: dnnl_runtime_error.rawValue)
    }
    return try Primitive(owning: made)
  }

  func addStep<Weight: BitwiseCopyable>(
    _ builder: ProgramBuilder, _ primitive: Primitive, source: Placement, target: Placement,
    weights: [Weight], weightType: dnnl_data_type_t, bias: [Float]?,
    extra: [PrimitiveArgument], precision: ElementType
  ) throws(OneDNNError) {
    let wanted = try primitive.layout(of: DNNL_ARG_WEIGHTS)
    let given = try MemoryDescriptor(dense: weightType, shape: groupedShape)
    let packed = try builder.reordered(weights, from: given, to: wanted)
    var arguments = [
      PrimitiveArgument(
        argument: DNNL_ARG_SRC, descriptor: try builder.descriptor(source), placement: source),
      PrimitiveArgument(argument: DNNL_ARG_WEIGHTS, descriptor: wanted, placement: packed),
      PrimitiveArgument(
        argument: DNNL_ARG_DST, descriptor: try builder.descriptor(target), placement: target),
    ]
    if let bias {
      arguments.append(
        PrimitiveArgument(
          argument: DNNL_ARG_BIAS,
          descriptor: try MemoryDescriptor(dense: dnnl_f32, shape: [bias.count]),
          placement: try builder.addConstant(bias)))
    }
    try builder.addPrimitive(
      primitive, arguments + extra, writes: [DNNL_ARG_DST],
      label: builder.label(
        region.node, kind: "Conv", implementation: primitive.implementation,
        precision: precision.shortName))
    builder.setPlacement(target, of: region.output)
  }
}
