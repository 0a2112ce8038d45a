// SPDX-License-Identifier: Apache-2.0
import CKernels
import COneDNN
import GraphIR
import TensorCore

extension DynamicQuantizeLinear: Lowerable {
  /// Two passes over the input: its range, in blocks of fixed size, and its codes.
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let input = node.inputs.first.flatMap({ $0 }),
      builder.type(of: input)?.elementType == .float32,
      let source = try builder.dense(input, .plain, as: .float32), source.count > 0
    else { return false }
    let codes = builder.allocate(.uint8, source.shape, .plain)
    let scale = builder.allocate(.float32, [], .plain)
    let zeroPoint = builder.allocate(.uint8, [], .plain)
    let count = source.count
    let blocks = (count + 4095) / 4096
    let threads = count < 32768 ? 1 : builder.threads
    let ranges = builder.allocateScratch(blocks * 2 * MemoryLayout<Float>.stride)
    builder.add(
      Step(
        label: builder.label(node, implementation: "swiftlet", precision: "u8"),
        reads: [source.buffer],
        writes: [codes.buffer, scale.buffer, zeroPoint.buffer, ranges.buffer]
      ) { memory in
        let input = memory.address(source).assumingMemoryBound(to: Float.self)
        let output = memory.address(codes).assumingMemoryBound(to: UInt8.self)
        let found = memory.address(ranges).assumingMemoryBound(to: Float.self)
        let scaleAddress = memory.address(scale)
        let zeroAddress = memory.address(zeroPoint)
        return { _ in
          ThreadTeam.forEachRange(of: blocks, threads: threads) { range in
            for block in range {
              let first = block * 4096
              let part = swk_min_max_f32(input + first, min(4096, count - first))
              // Zero is always in the range.
              found[2 * block] = min(part.minimum, 0)
              found[2 * block + 1] = max(part.maximum, 0)
            }
          }
          var (least, greatest): (Float, Float) = (0, 0)
          for block in 0..<blocks {
            least = min(least, found[2 * block])
            greatest = max(greatest, found[2 * block + 1])
          }
          let step: Float = least == greatest ? 1 : (greatest - least) / 255
          let zero = min(max((-least / step).rounded(.toNearestOrEven), 0), 255)
          scaleAddress.storeBytes(of: step, as: Float.self)
          zeroAddress.storeBytes(of: UInt8(zero), as: UInt8.self)
          ThreadTeam.forEachRange(of: blocks, threads: threads) { range in
            var from = swk_format(type: SWK_F32, scale: 1, zero_point: 0)
            var to = swk_format(type: SWK_U8, scale: step, zero_point: Int32(zero))
            let first = range.lowerBound * 4096
            let last = min(range.upperBound * 4096, count)
            swk_convert(&from, input + first, &to, output + first, last - first)
          }
        }
      })
    for (output, placement) in zip(node.outputs, [codes, scale, zeroPoint]) {
      builder.setPlacement(placement, of: output)
    }
    return true
  }
}

extension DynamicMatMul: RegionLowerable {
  /// An integer product whose scale and zero point are read when it runs.
  func lower(_ region: Region, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let input = region.input(0), let shape = builder.shape(of: input), shape.count >= 1,
      let scaleValue = region.input(1), let zeroValue = region.input(2),
      let weight = builder.graph.constant(region.input(3)), weight.rank == 2,
      weight.elementType == .int8, region.outputCode == nil,
      region.givesReals(in: builder.graph), shape.reduce(1, *) > 0, weight.count > 0,
      let scales = builder.graph.constant(region.input(4))?.floats()
    else { return false }
    let (inner, columns) = (weight.shape[0], weight.shape[1])
    let rows = shape.dropLast().reduce(1, *)
    guard let stages = ProductStages(region, channels: columns, in: builder.graph),
      stages.unit == 1, stages.biasOffset == 0, shape.last == inner,
      let source = try builder.dense(input, .plain),
      let scale = try builder.dense(scaleValue, .plain, as: .float32),
      let zero = try builder.dense(zeroValue, .plain), zero.elementType == .uint8,
      let (target, addendType) = try builder.productTarget(
        stages, builder.realType, Array(shape.dropLast()) + [columns], .plain, reading: source)
    else { return false }

    let attributes = try stages.attributes(addendType: addendType)
    try attributes.setScales(of: DNNL_ARG_SRC, mask: 0)
    try attributes.setScales(of: DNNL_ARG_WEIGHTS, mask: 2)
    try attributes.setZeroPoint(of: DNNL_ARG_SRC)
    let from = try builder.descriptor(source, shape: [rows, inner], strides: [inner, 1])
    let to = try builder.descriptor(target, shape: [rows, columns], strides: [columns, 1])
    let any = try MemoryDescriptor(any: dnnl_s8, shape: [inner, columns])
    let biasLayout =
      stages.bias == nil ? nil : try MemoryDescriptor(dense: dnnl_f32, shape: [1, columns])
    var made: dnnl_primitive_desc_t?
    try check(
      dnnl_matmul_primitive_desc_create(
        &made, builder.engine.handle, from.handle, any.handle, biasLayout?.handle, to.handle,
        attributes.handle), "integer matrix product")
    guard let made else {
      throw OneDNNError(call: "integer matrix product", status: dnnl_runtime_error.rawValue)
    }
    let primitive = try Primitive(owning: made)
    let wanted = try primitive.layout(of: DNNL_ARG_WEIGHTS)
    let given = try MemoryDescriptor(dense: dnnl_s8, shape: [inner, columns])
    let one = try MemoryDescriptor(dense: dnnl_f32, shape: [1])
    var arguments = [
      PrimitiveArgument(argument: DNNL_ARG_SRC, descriptor: from, placement: source),
      PrimitiveArgument(
        argument: DNNL_ARG_WEIGHTS, descriptor: wanted,
        placement: try builder.reordered(weight.bytes, from: given, to: wanted)),
      PrimitiveArgument(argument: DNNL_ARG_DST, descriptor: to, placement: target),
      PrimitiveArgument(
        argument: DNNL_ARG_ATTR_SCALES | DNNL_ARG_SRC, descriptor: one, placement: scale),
      PrimitiveArgument(
        argument: DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS,
        descriptor: try MemoryDescriptor(dense: dnnl_f32, shape: [columns]),
        placement: try builder.addConstant(
          scales.count == columns ? scales : Array(repeating: scales[0], count: columns))),
      PrimitiveArgument(
        argument: DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_SRC,
        descriptor: try MemoryDescriptor(dense: dnnl_s32, shape: [1]),
        placement: builder.addWidened(zero)),
    ]
    if let bias = stages.bias, let biasLayout {
      arguments.append(
        PrimitiveArgument(
          argument: DNNL_ARG_BIAS, descriptor: biasLayout,
          placement: try builder.addConstant(bias)))
    }
    try builder.addPrimitive(
      primitive, arguments, writes: [DNNL_ARG_DST],
      label: builder.label(
        region.node, kind: "MatMulInteger", implementation: primitive.implementation,
        precision: "u8"))
    builder.setPlacement(target, of: region.output)
    return true
  }
}

extension ProgramBuilder {
  /// A zero point of one byte as 32 bits.
  fileprivate func addWidened(_ zeroPoint: Placement) -> Placement {
    let wide = allocate(.int32, [1], .plain)
    add(
      Step(
        label: copyLabel("Convert", .int32), reads: [zeroPoint.buffer], writes: [wide.buffer]
      ) { memory in
        let from = memory.address(zeroPoint)
        let to = memory.address(wide)
        return { _ in to.storeBytes(of: Int32(from.load(as: UInt8.self)), as: Int32.self) }
      })
    return wide
  }
}
