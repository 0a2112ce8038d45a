// SPDX-License-Identifier: Apache-2.0
import CKernels
import COneDNN
import GraphIR
import TensorCore

extension MaxPool: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard node.outputs.count == 1, let input = node.inputs.first.flatMap({ $0 }),
      let output = node.outputs[0], let shape = builder.shape(of: input),
      (3...5).contains(shape.count),
      let geometry = try? WindowGeometry(
        input: Array(shape[2...]), kernel: window.kernel, strides: window.strides,
        dilations: window.dilations, padding: window.padding, ceilMode: window.ceilMode),
      let type = builder.type(of: input)?.elementType
    else { return false }
    let stored = type.isFloatingPoint ? builder.realType : type
    guard stored.oneDNN != nil, stored != .int32 else { return false }
    return try builder.addPooling(
      node, input: input, output: output, as: stored, shape: shape, geometry: geometry,
      algorithm: dnnl_pooling_max, stages: [])
  }
}

extension AveragePool: RegionLowerable {
  func lower(_ region: Region, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let input = region.input(0), let shape = builder.shape(of: input),
      (3...5).contains(shape.count),
      let geometry = try? WindowGeometry(
        input: Array(shape[2...]), kernel: window.kernel, strides: window.strides,
        dilations: window.dilations, padding: window.padding, ceilMode: window.ceilMode)
    else { return false }
    if region.code(0) != nil || region.outputCode != nil {
      if try lowerCodes(region, input: input, shape: shape, geometry, into: builder) { return true }
      return try region.lowerThroughReals(self, into: builder)
    }
    guard region.addends.isEmpty, !(window.ceilMode && countsPadding) else { return false }
    return try builder.addPooling(
      region.node, input: input, output: region.output, as: builder.realType, shape: shape,
      geometry: geometry,
      algorithm: countsPadding
        ? dnnl_pooling_avg_include_padding : dnnl_pooling_avg_exclude_padding,
      stages: region.stages)
  }

  private func lowerCodes(
    _ region: Region, input: ValueID, shape: [Int], _ geometry: WindowGeometry,
    into builder: ProgramBuilder
  ) throws(OneDNNError) -> Bool {
    guard shape.count == 4, !(window.ceilMode && countsPadding),
      let (scale, zeroPoint) = Region.scalar(region.code(0)),
      let epilogue = region.kernelEpilogue(realType: builder.realType),
      let source = try builder.dense(input, .channelsLast), let type = source.elementType.kernel
    else { return false }
    let output = [shape[0], shape[1]] + geometry.output
    let target = builder.allocate(
      region.storedType(realType: builder.realType), output, .channelsLast)
    let arguments = swk_pool(
      channels: shape[1], height: shape[2], width: shape[3], output_height: output[2],
      output_width: output[3], kernel_height: geometry.kernel[0], kernel_width: geometry.kernel[1],
      stride_height: geometry.strides[0], stride_width: geometry.strides[1],
      dilation_height: geometry.dilations[0], dilation_width: geometry.dilations[1],
      pad_top: geometry.padsBegin[0], pad_left: geometry.padsBegin[1], type: type)
    let format = swk_format(type: type, scale: scale, zero_point: zeroPoint)
    let includes: Int32 = countsPadding ? 1 : 0
    builder.addRows(
      of: output[0] * output[2], work: output.reduce(1, *), from: source, to: target,
      label: builder.label(
        region.node, kind: kind, implementation: "swiftlet",
        precision: source.elementType.shortName)
    ) { from, to, range in
      var arguments = arguments
      var format = format
      var epilogue = epilogue
      swk_average_pool(
        &arguments, includes, &format, from, &epilogue, to, range.lowerBound, range.upperBound)
    }
    builder.setPlacement(target, of: region.output)
    return true
  }
}

extension GlobalPool: RegionLowerable {
  func lower(_ region: Region, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard statistic == .average, let input = region.input(0),
      let shape = builder.shape(of: input), shape.count >= 3,
      let epilogue = region.kernelEpilogue(realType: builder.realType)
    else {
      guard region.isQuantized else { return false }
      return try region.lowerThroughReals(self, into: builder)
    }
    var format = swk_format(type: SWK_F32, scale: 1, zero_point: 0)
    let source: Placement?
    if let code = region.code(0) {
      guard let (scale, zeroPoint) = Region.scalar(code) else { return false }
      source = try builder.dense(input, .channelsLast)
      format.scale = scale
      format.zero_point = zeroPoint
    } else {
      source = try builder.dense(input, .channelsLast, as: builder.realType)
    }
    guard let source, let type = source.elementType.kernel else { return false }
    format.type = type
    let channels = shape[1]
    let pixels = shape[2...].reduce(1, *)
    let output = [shape[0], channels] + shape[2...].map { _ in 1 }
    let target = builder.allocate(
      region.storedType(realType: builder.realType), output, .channelsLast)
    let call = format
    builder.addRows(
      of: shape[0], work: shape.reduce(1, *), from: source, to: target,
      label: builder.label(
        region.node, kind: kind, implementation: "swiftlet",
        precision: source.elementType.shortName)
    ) { from, to, range in
      var call = call
      var epilogue = epilogue
      swk_global_average(
        &call, from, &epilogue, to, channels, pixels, range.lowerBound, range.upperBound)
    }
    builder.setPlacement(target, of: region.output)
    return true
  }
}

extension ProgramBuilder {
  /// A step of our own kernels that works on ranges of rows of its result.
  func addRows(
    of rows: Int, work: Int, from source: Placement, to target: Placement, label: StepLabel,
    _ body:
      @escaping @Sendable (
        UnsafeMutableRawPointer, UnsafeMutableRawPointer, Swift.Range<Int>
      ) -> Void
  ) {
    let threads = work < 16384 ? 1 : threads
    add(
      Step(label: label, reads: [source.buffer], writes: [target.buffer]) { memory in
        let from = memory.address(source)
        let to = memory.address(target)
        return { _ in
          ThreadTeam.forEachRange(of: rows, threads: threads) { body(from, to, $0) }
        }
      })
  }

  /// A pooling primitive; `false` where a stage has no equal.
  func addPooling(
    _ node: Node, input: ValueID, output: ValueID, as type: ElementType, shape: [Int],
    geometry: WindowGeometry, algorithm: dnnl_alg_kind_t, stages: [Fused.Stage]
  ) throws(OneDNNError) -> Bool {
    let attributes = try PrimitiveAttributes()
    for stage in stages {
      switch stage {
      case .activation(let function):
        guard let step = Eltwise(function) else { return false }
        try attributes.appendEltwise(step)
      case .clip(let lower, let upper): try attributes.appendEltwise(.clip(lower, upper))
      case .add, .recode: return false
      }
    }
    guard let source = try dense(input, .channelsLast, as: type) else { return false }
    let target = allocate(type, [shape[0], shape[1]] + geometry.output, .channelsLast)
    let from = try descriptor(source)
    let to = try descriptor(target)
    let ends = geometry.output.indices.map { axis in
      (geometry.output[axis] - 1) * geometry.strides[axis]
        + (geometry.kernel[axis] - 1) * geometry.dilations[axis] + 1 - geometry.input[axis]
        - geometry.padsBegin[axis]
    }
    var made: dnnl_primitive_desc_t?
    try check(
      dnnl_pooling_forward_primitive_desc_create(
        &made, engine.handle, dnnl_forward_inference, algorithm, from.handle, to.handle,
        geometry.strides.map { dnnl_dim_t($0) }, geometry.kernel.map { dnnl_dim_t($0) },
        geometry.dilations.map { dnnl_dim_t($0 - 1) }, geometry.padsBegin.map { dnnl_dim_t($0) },
        ends.map { dnnl_dim_t($0) }, attributes.handle), "pooling")
    guard let made else {
      throw OneDNNError(call: "pooling", status: dnnl_runtime_error.rawValue)
    }
    let primitive = try Primitive(owning: made)
    try addPrimitive(
      primitive,
      [
        PrimitiveArgument(argument: DNNL_ARG_SRC, descriptor: from, placement: source),
        PrimitiveArgument(argument: DNNL_ARG_DST, descriptor: to, placement: target),
      ], writes: [DNNL_ARG_DST],
      label: label(node, implementation: primitive.implementation, precision: type.shortName))
    setPlacement(target, of: output)
    return true
  }
}
