// SPDX-License-Identifier: Apache-2.0
import CKernels
import COneDNN
import GraphIR
import TensorCore

extension PoolingWindow {
  fileprivate func geometry(_ extents: [Int]) -> WindowGeometry? {
    try? WindowGeometry(
      input: extents, kernel: kernel, strides: strides, dilations: dilations, padding: padding,
      ceilMode: ceilMode)
  }
}

extension TrainingBuilder {
  fileprivate func addPooling(
    _ node: Node, _ algorithm: dnnl_alg_kind_t, _ geometry: WindowGeometry
  ) throws(OneDNNError) -> Bool {
    guard let input = node.inputs[0], let output = node.outputs[0],
      let shape = shape(of: input), let type = workingType([input]),
      let source = dense(input, .channelsLast, as: type)
    else { return false }
    let target = allocate(type, [shape[0], shape[1]] + geometry.output, .channelsLast)
    let from = try batchArgument(DNNL_ARG_SRC, source)
    let to = try batchArgument(DNNL_ARG_DST, target, isWrite: true)
    let ends = geometry.output.indices.map { axis in
      (geometry.output[axis] - 1) * geometry.strides[axis]
        + (geometry.kernel[axis] - 1) * geometry.dilations[axis] + 1 - geometry.input[axis]
        - geometry.padsBegin[axis]
    }
    let attributes = try PrimitiveAttributes()
    let made = try primitive("pooling") {
      dnnl_pooling_forward_primitive_desc_create(
        $0, engine.handle, dnnl_forward_inference, algorithm, from.descriptor.handle,
        to.descriptor.handle, geometry.strides.map { dnnl_dim_t($0) },
        geometry.kernel.map { dnnl_dim_t($0) }, geometry.dilations.map { dnnl_dim_t($0 - 1) },
        geometry.padsBegin.map { dnnl_dim_t($0) }, ends.map { dnnl_dim_t($0) }, attributes.handle)
    }
    try addPrimitive(
      made, [from, to], isSharded: isSharded(shape),
      label: label(node, implementation: made.implementation, precision: type))
    setPlacement(target, of: output)
    return true
  }

  /// The window over `[N, C, H, W]` as our kernels take it.
  fileprivate func kernelWindow(
    _ geometry: WindowGeometry, channels: Int, type: swk_type
  ) -> swk_pool? {
    guard geometry.input.count == 2 else { return nil }
    return swk_pool(
      channels: channels, height: geometry.input[0], width: geometry.input[1],
      output_height: geometry.output[0], output_width: geometry.output[1],
      kernel_height: geometry.kernel[0], kernel_width: geometry.kernel[1],
      stride_height: geometry.strides[0], stride_width: geometry.strides[1],
      dilation_height: geometry.dilations[0], dilation_width: geometry.dilations[1],
      pad_top: geometry.padsBegin[0], pad_left: geometry.padsBegin[1], type: type)
  }
}

extension MaxPool: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard node.outputs.count == 1, let shape = builder.shape(of: node.inputs[0]),
      (3...5).contains(shape.count), let geometry = window.geometry(Array(shape[2...]))
    else { return false }
    return try builder.addPooling(node, dnnl_pooling_max, geometry)
  }
}

extension AveragePool: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let shape = builder.shape(of: node.inputs[0]), (3...5).contains(shape.count),
      !(window.ceilMode && countsPadding), let geometry = window.geometry(Array(shape[2...]))
    else { return false }
    return try builder.addPooling(
      node,
      countsPadding ? dnnl_pooling_avg_include_padding : dnnl_pooling_avg_exclude_padding, geometry)
  }
}

extension MaxPoolGradient: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let gradient = node.inputs[0], let input = node.inputs[1], let output = node.outputs[0],
      let shape = builder.shape(of: input), shape.count == 4,
      let type = builder.workingType([gradient, input]), let kind = type.kernel,
      let geometry = window.geometry(Array(shape[2...])),
      builder.shape(of: gradient) == [shape[0], shape[1]] + geometry.output,
      let window = builder.kernelWindow(geometry, channels: shape[1], type: kind),
      geometry.kernel.reduce(1, *) < 65536,
      let dY = builder.dense(gradient, .channelsLast, as: type),
      let x = builder.dense(input, .channelsLast, as: type)
    else { return false }
    var arguments = window
    let scratch = builder.allocateThreadCopies(
      .uint8, [max(swk_max_pool_gradient_scratch_size(&arguments), 1)])
    let target = builder.allocate(type, shape, .channelsLast)
    builder.addSharded(
      builder.label(node, implementation: "swiftlet", precision: type), reads: [dY, x],
      writes: [target, scratch], alike: shape
    ) { memory, part in
      let images = part(x).shape[0]
      let (from, with) = (memory.address(part(dY)), memory.address(part(x)))
      let (to, scratch) = (memory.address(part(target)), memory.address(scratch))
      return {
        var window = window
        swk_max_pool_gradient(&window, from, with, to, scratch, 0, images)
      }
    }
    builder.setPlacement(target, of: output)
    return true
  }
}

extension AveragePoolGradient: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let gradient = node.inputs[0], let output = node.outputs[0],
      let shape = builder.shape(of: output), shape.count == 4, !(window.ceilMode && countsPadding),
      let type = builder.workingType([gradient]), let kind = type.kernel,
      let geometry = window.geometry(inputExtents),
      builder.shape(of: gradient) == [shape[0], shape[1]] + geometry.output,
      let window = builder.kernelWindow(geometry, channels: shape[1], type: kind),
      let dY = builder.dense(gradient, .channelsLast, as: type)
    else { return false }
    let target = builder.allocate(type, shape, .channelsLast)
    let counts: Int32 = countsPadding ? 1 : 0
    builder.addSharded(
      builder.label(node, implementation: "swiftlet", precision: type), reads: [dY],
      writes: [target], alike: shape
    ) { memory, part in
      let rows = part(target).shape[0] * shape[2]
      let (from, to) = (memory.address(part(dY)), memory.address(part(target)))
      return {
        var window = window
        swk_average_pool_gradient(&window, counts, from, to, 0, rows)
      }
    }
    builder.setPlacement(target, of: output)
    return true
  }
}

extension GlobalPool: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard statistic == .average, let input = node.inputs[0], let output = node.outputs[0],
      let shape = builder.shape(of: input), shape.count >= 3,
      let type = builder.workingType([input]), let kind = type.kernel,
      let source = builder.dense(input, .channelsLast, as: type)
    else { return false }
    let channels = shape[1]
    let pixels = shape[2...].reduce(1, *)
    let target = builder.allocate(
      type, [shape[0], channels] + shape[2...].map { _ in 1 }, .channelsLast)
    builder.addSharded(
      builder.label(node, implementation: "swiftlet", precision: type), reads: [source],
      writes: [target], alike: shape
    ) { memory, part in
      let images = part(source).shape[0]
      let (from, to) = (memory.address(part(source)), memory.address(part(target)))
      return {
        var format = swk_format(type: kind, scale: 1, zero_point: 0)
        var epilogue = swk_epilogue(
          type: kind, activation: SWK_NONE, alpha: 0, beta: 0, inverse_scale: 1, zero_point: 0)
        swk_global_average(&format, from, &epilogue, to, channels, pixels, 0, images)
      }
    }
    builder.setPlacement(target, of: output)
    return true
  }
}

extension GlobalAveragePoolGradient: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let gradient = node.inputs[0], let output = node.outputs[0],
      let shape = builder.shape(of: output), shape.count >= 3,
      let type = builder.workingType([gradient]), let kind = type.kernel,
      let dY = builder.dense(gradient, .channelsLast, as: type)
    else { return false }
    let channels = shape[1]
    let pixels = shape[2...].reduce(1, *)
    let target = builder.allocate(type, shape, .channelsLast)
    builder.addSharded(
      builder.label(node, implementation: "swiftlet", precision: type), reads: [dY],
      writes: [target], alike: shape
    ) { memory, part in
      let images = part(target).shape[0]
      let (from, to) = (memory.address(part(dY)), memory.address(part(target)))
      return { swk_global_average_gradient(kind, from, to, channels, pixels, 0, images) }
    }
    builder.setPlacement(target, of: output)
    return true
  }
}
