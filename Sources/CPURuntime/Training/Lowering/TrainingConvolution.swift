// SPDX-License-Identifier: Apache-2.0
import CKernels
import COneDNN
import GraphIR
import TensorCore

/// A convolution of a training step, seen by one shard.
struct TrainingConvolution {
  let convolution: Conv
  let input: [Int]
  let weight: [Int]
  let geometry: WindowGeometry

  init?(_ convolution: Conv, input: [Int], weight: [Int]) {
    guard (3...5).contains(input.count), weight.count == input.count, convolution.group > 0,
      weight[0] % convolution.group == 0,
      let geometry = try? WindowGeometry(
        input: Array(input[2...]), kernel: Array(weight[2...]), strides: convolution.strides,
        dilations: convolution.dilations, padding: convolution.padding)
    else { return nil }
    self.convolution = convolution
    self.input = input
    self.weight = weight
    self.geometry = geometry
  }

  var output: [Int] { [input[0], weight[0]] + geometry.output }

  /// Weights with the group as an axis of its own, where there are groups.
  var groupedWeight: [Int] {
    let group = convolution.group
    return group == 1 ? weight : [group, weight[0] / group] + Array(weight.dropFirst())
  }

  /// Whether every channel is convolved by itself.
  private var isDepthwise: Bool { convolution.group > 1 && weight[1] == 1 }

  private var strides: [dnnl_dim_t] { geometry.strides.map { dnnl_dim_t($0) } }
  private var dilations: [dnnl_dim_t] { geometry.dilations.map { dnnl_dim_t($0 - 1) } }
  private var begins: [dnnl_dim_t] { geometry.padsBegin.map { dnnl_dim_t($0) } }
  private var ends: [dnnl_dim_t] { geometry.padsEnd.map { dnnl_dim_t($0) } }

  func forward(
    _ builder: TrainingBuilder, from source: MemoryDescriptor, to target: MemoryDescriptor,
    type: dnnl_data_type_t, hasBias: Bool
  ) throws(OneDNNError) -> Primitive {
    let attributes = try PrimitiveAttributes()
    let weights = try MemoryDescriptor(any: type, shape: groupedWeight)
    let bias = hasBias ? try MemoryDescriptor(dense: dnnl_f32, shape: [weight[0]]) : nil
    return try builder.primitive("convolution") {
      dnnl_convolution_forward_primitive_desc_create(
        $0, builder.engine.handle, dnnl_forward_training, dnnl_convolution_direct, source.handle,
        weights.handle, bias?.handle, target.handle, strides, dilations, begins, ends,
        attributes.handle)
    }
  }

  func inputGradient(
    _ builder: TrainingBuilder, from gradient: MemoryDescriptor, to target: MemoryDescriptor,
    type: dnnl_data_type_t
  ) throws(OneDNNError) -> Primitive {
    let attributes = try PrimitiveAttributes()
    let hint = try forward(builder, from: target, to: gradient, type: type, hasBias: false)
    let weights = try MemoryDescriptor(any: type, shape: groupedWeight)
    // What oneDNN 3.2 puts first for bfloat16 and strides is a hundred times slower.
    return try builder.primitive(
      "gradient of a convolution's input", preferring: isDepthwise ? "jit_dw" : nil
    ) {
      dnnl_convolution_backward_data_primitive_desc_create(
        $0, builder.engine.handle, dnnl_convolution_direct, target.handle, weights.handle,
        gradient.handle, strides, dilations, begins, ends, hint.descriptor, attributes.handle)
    }
  }

  /// The sizes for our own gradient of the weights, where it is faster than oneDNN's: on processors
  /// that multiply pairs of bfloat16, but no matrices of them.
  func pairProducts(as type: ElementType) -> swk_weight_gradient_args? {
    guard type == .bfloat16, input.count == 4, convolution.group == 1,
      geometry.dilations == [1, 1], swk_cpu_features() & SWK_CPU_AMX_BF16.rawValue == 0
    else { return nil }
    var sizes = swk_weight_gradient_args(
      channels: input[1], outputs: weight[0], height: input[2], width: input[3],
      output_height: geometry.output[0], output_width: geometry.output[1],
      kernel_height: weight[2], kernel_width: weight[3], stride_height: geometry.strides[0],
      stride_width: geometry.strides[1], pad_top: geometry.padsBegin[0],
      pad_left: geometry.padsBegin[1])
    return swk_weight_gradient_is_fast(&sizes) != 0 ? sizes : nil
  }

  func weightGradient(
    _ builder: TrainingBuilder, from gradient: MemoryDescriptor, input source: MemoryDescriptor,
    type: dnnl_data_type_t
  ) throws(OneDNNError) -> Primitive {
    let attributes = try PrimitiveAttributes()
    let hint = try forward(builder, from: source, to: gradient, type: type, hasBias: false)
    let weights = try MemoryDescriptor(any: dnnl_f32, shape: groupedWeight)
    return try builder.primitive("gradient of a convolution's weights") {
      dnnl_convolution_backward_weights_primitive_desc_create(
        $0, builder.engine.handle, dnnl_convolution_direct, source.handle, weights.handle, nil,
        gradient.handle, strides, dilations, begins, ends, hint.descriptor, attributes.handle)
    }
  }
}

extension Conv: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let input = node.inputs[0], let weight = node.inputs[1], let output = node.outputs[0],
      let shape = builder.shape(of: input), let weightShape = builder.shape(of: weight),
      let shapes = TrainingConvolution(self, input: shape, weight: weightShape),
      let kind = builder.realType.oneDNN,
      let (source, prelude) = builder.shardOperand(input)
    else { return false }
    let bias = node.inputs.count > 2 ? node.inputs[2] : nil
    let shift = bias.flatMap { builder.dense($0, .plain, as: .float32) }
    guard bias == nil || shift != nil else { return false }
    let isSharded = builder.isSharded(shape)
    let target = builder.allocate(builder.realType, shapes.output, .channelsLast)
    let from = try builder.batchArgument(DNNL_ARG_SRC, source)
    let to = try builder.batchArgument(DNNL_ARG_DST, target, isWrite: true)
    let primitive = try shapes.forward(
      builder, from: from.descriptor, to: to.descriptor, type: kind, hasBias: bias != nil)
    let wanted = try primitive.layout(of: DNNL_ARG_WEIGHTS)
    guard
      let packed = try builder.packed(weight, shape: shapes.groupedWeight, as: wanted)
    else { return false }
    var arguments = [
      from, to,
      ShardArgument(
        argument: DNNL_ARG_WEIGHTS, descriptor: wanted, placement: packed, cut: .shared),
    ]
    if let shift {
      arguments.append(
        ShardArgument(
          argument: DNNL_ARG_BIAS,
          descriptor: try MemoryDescriptor(dense: dnnl_f32, shape: [weightShape[0]]),
          placement: shift, cut: .shared))
    }
    try builder.addPrimitive(
      primitive, arguments, isSharded: isSharded,
      label: builder.label(
        node, implementation: primitive.implementation, precision: builder.realType),
      after: prelude)
    builder.setPlacement(target, of: output)
    return true
  }
}

extension ConvInputGradient: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let gradient = node.inputs[0], let weight = node.inputs[1],
      let output = node.outputs[0], let shape = builder.shape(of: output),
      let weightShape = builder.shape(of: weight),
      let shapes = TrainingConvolution(convolution, input: shape, weight: weightShape),
      builder.shape(of: gradient) == shapes.output, let kind = builder.realType.oneDNN,
      let source = builder.dense(gradient, .channelsLast, as: builder.realType)
    else { return false }
    let target = builder.allocate(builder.realType, shape, .channelsLast)
    let from = try builder.batchArgument(DNNL_ARG_DIFF_DST, source)
    let to = try builder.batchArgument(DNNL_ARG_DIFF_SRC, target, isWrite: true)
    let primitive = try shapes.inputGradient(
      builder, from: from.descriptor, to: to.descriptor, type: kind)
    let wanted = try primitive.layout(of: DNNL_ARG_WEIGHTS)
    guard
      let packed = try builder.packed(weight, shape: shapes.groupedWeight, as: wanted)
    else { return false }
    try builder.addPrimitive(
      primitive,
      [
        from, to,
        ShardArgument(
          argument: DNNL_ARG_WEIGHTS, descriptor: wanted, placement: packed, cut: .shared),
      ], isSharded: builder.isSharded(shape),
      label: builder.label(
        node, implementation: primitive.implementation, precision: builder.realType))
    builder.setPlacement(target, of: output)
    return true
  }
}

extension ConvWeightGradient: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let gradient = node.inputs[0], let input = node.inputs[1],
      let output = node.outputs[0], let shape = builder.shape(of: input),
      let weightShape = builder.shape(of: output),
      let shapes = TrainingConvolution(convolution, input: shape, weight: weightShape),
      builder.shape(of: gradient) == shapes.output, let kind = builder.realType.oneDNN,
      let sourceGradient = builder.dense(gradient, .channelsLast, as: builder.realType)
    else { return false }
    let isSharded = builder.isSharded(shape)
    guard isSharded || builder.shards.count == 1,
      let (source, prelude) = builder.shardOperand(input)
    else { return false }
    if isSharded, let pairs = shapes.pairProducts(as: builder.realType) {
      try lower(node, into: builder, by: pairs, from: sourceGradient, source, after: prelude)
      return true
    }
    let from = try builder.batchArgument(DNNL_ARG_SRC, source)
    let with = try builder.batchArgument(DNNL_ARG_DIFF_DST, sourceGradient)
    let primitive = try shapes.weightGradient(
      builder, from: with.descriptor, input: from.descriptor, type: kind)
    let wanted = try primitive.layout(of: DNNL_ARG_DIFF_WEIGHTS)
    let partials = builder.allocatePartials(.float32, wanted.byteCount / 4)
    let label = builder.label(
      node, implementation: primitive.implementation, precision: builder.realType)
    try builder.addPrimitive(
      primitive,
      [
        from, with,
        ShardArgument(
          argument: DNNL_ARG_DIFF_WEIGHTS, descriptor: wanted, placement: partials,
          cut: .partial, isWrite: true),
      ], isSharded: isSharded, label: label, after: prelude)
    try builder.addSum(
      of: partials, in: wanted, shape: shapes.groupedWeight, to: output,
      label: builder.label("SumOfShards", .float32))
    return true
  }
  /// Adds the sums of each shard by our own kernel, and their sum.
  private func lower(
    _ node: Node, into builder: TrainingBuilder, by pairs: swk_weight_gradient_args,
    from gradient: Placement, _ source: Placement, after prelude: TaskPrelude?
  ) throws(OneDNNError) {
    guard let output = node.outputs[0], let shape = builder.shape(of: output) else { return }
    var sizes = pairs
    let partials = builder.allocatePartials(.float32, shape.reduce(1, *))
    let stride = partials.shape[1]
    let scratch = builder.allocateThreadCopies(
      .uint8, [swk_weight_gradient_scratch_size(&sizes)])
    builder.add(
      TrainingTask(
        label: builder.label(node, implementation: "swiftlet", precision: builder.realType),
        scope: .shards,
        accesses: (prelude?.accesses ?? [])
          + builder.accesses(reads: [gradient, source], writes: [scratch], in: .shards)
          + [.writes(partials, .own)]
      ) { [shards = builder.shards] memory, shard in
        let first = prelude?.bind(memory, shard)
        let part = shards.part(shard, of: gradient)
        let dY = memory.address(part).assumingMemoryBound(to: UInt16.self)
        let x = memory.address(shards.part(shard, of: source)).assumingMemoryBound(to: UInt16.self)
        let sums = memory.floats(partials) + shard * stride
        let scratch = memory.address(scratch)
        let images = part.shape[0]
        return {
          first?()
          var pairs = pairs
          swk_weight_gradient(&pairs, dY, x, sums, scratch, 0, images)
        }
      })
    // Sums lie as [height, width, inputs, outputs].
    let (outputs, inputs, width) = (shape[0], shape[1], shape[3])
    let layout = try MemoryDescriptor(
      dnnl_f32, shape: shape, strides: [1, outputs, width * inputs * outputs, inputs * outputs])
    try builder.addSum(
      of: partials, in: layout, shape: shape, to: output,
      label: builder.label("SumOfShards", .float32))
  }
}
