// SPDX-License-Identifier: Apache-2.0
import CKernels
import COneDNN
import GraphIR
import TensorCore

extension Unary: RegionLowerable {
  func lower(_ region: Region, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    if region.isQuantized || region.outputCode != nil {
      if try builder.addLookup(region) { return true }
      return try region.lowerThroughReals(self, into: builder)
    }
    guard let first = Eltwise(function), region.givesReals(in: builder.graph) else {
      return region.stages.isEmpty ? try lowerLoop(region.node, into: builder) : false
    }
    return try builder.addEltwise(region, first: first)
  }
}

extension Clip: RegionLowerable {
  func lower(_ region: Region, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    if region.isQuantized || region.outputCode != nil {
      if try builder.addLookup(region) { return true }
      return try region.lowerThroughReals(self, into: builder)
    }
    guard region.givesReals(in: builder.graph),
      let lower = bound(region.input(1), orElse: -.greatestFiniteMagnitude, in: builder.graph),
      let upper = bound(region.input(2), orElse: .greatestFiniteMagnitude, in: builder.graph)
    else { return false }
    return try builder.addEltwise(region, first: .clip(lower, upper))
  }

  private func bound(_ input: ValueID?, orElse missing: Float, in graph: Graph) -> Float? {
    guard input != nil else { return missing }
    return graph.constant(input)?.floats().first
  }
}

extension Binary: RegionLowerable {
  func lower(_ region: Region, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    if region.isQuantized || region.outputCode != nil {
      if builder.precision != .fp32 {
        if function == .add, try builder.addQuantizedSum(region) { return true }
        if function == .multiply, try builder.addChannelProduct(region) { return true }
      }
      return try region.lowerThroughReals(self, into: builder)
    }
    if function == .multiply, try builder.addChannelProduct(region) { return true }
    if function == .power, region.givesReals(in: builder.graph),
      let exponent = builder.graph.constant(region.input(1)), exponent.count == 1,
      exponent.rank <= builder.shape(of: region.input(0))?.count ?? 0, region.addends.isEmpty
    {
      return try builder.addPower(region, exponent.reals()[0])
    }
    let algorithm: dnnl_alg_kind_t
    switch function {
    case .add: algorithm = dnnl_binary_add
    case .subtract: algorithm = dnnl_binary_sub
    case .multiply: algorithm = dnnl_binary_mul
    case .divide: algorithm = dnnl_binary_div
    default: return region.stages.isEmpty ? try lowerLoop(region.node, into: builder) : false
    }
    if try builder.addBinary(region, algorithm) { return true }
    return region.stages.isEmpty ? try lowerLoop(region.node, into: builder) : false
  }
}

extension ProgramBuilder {
  /// An elementwise primitive over a dense tensor, with the region's stages fused.
  func addEltwise(_ region: Region, first: Eltwise) throws(OneDNNError) -> Bool {
    guard let input = region.input(0), region.addends.isEmpty,
      let (source, layout) = try anyDense(input, as: realType)
    else { return false }
    let attributes = try PrimitiveAttributes()
    guard try append(region.stages, to: attributes) else { return false }
    let target = try claim(input, layout, as: realType) ?? allocate(realType, source.shape, layout)
    let flat = [source.count]
    let from = try descriptor(source, shape: flat, strides: [1])
    var made: dnnl_primitive_desc_t?
    try check(
      dnnl_eltwise_forward_primitive_desc_create(
        &made, engine.handle, dnnl_forward_inference, first.algorithm, from.handle, from.handle,
        first.alpha, first.beta, attributes.handle), "elementwise function")
    guard let made else {
      throw OneDNNError(call: "elementwise function", status: dnnl_runtime_error.rawValue)
    }
    let primitive = try Primitive(owning: made)
    try addPrimitive(
      primitive,
      [
        PrimitiveArgument(argument: DNNL_ARG_SRC, descriptor: from, placement: source),
        PrimitiveArgument(argument: DNNL_ARG_DST, descriptor: from, placement: target),
      ], writes: [DNNL_ARG_DST],
      label: label(
        region.node, implementation: primitive.implementation, precision: realType.shortName))
    setPlacement(target, of: region.output)
    return true
  }

  /// A power with one exponent, of which the kernels have the common ones.
  func addPower(_ region: Region, _ exponent: Double) throws(OneDNNError) -> Bool {
    switch exponent {
    case 2: return try addEltwise(region, first: Eltwise(algorithm: dnnl_eltwise_square))
    case 0.5: return try addEltwise(region, first: Eltwise(algorithm: dnnl_eltwise_sqrt))
    case 1, 3, -1, -0.5:
      let power = Eltwise(algorithm: dnnl_eltwise_pow, alpha: 1, beta: Float(exponent))
      return try addEltwise(region, first: power)
    default: return false
    }
  }

  private func append(
    _ stages: [Fused.Stage], to attributes: PrimitiveAttributes
  ) throws(OneDNNError) -> Bool {
    for stage in stages {
      switch stage {
      case .activation(let function):
        guard let step = Eltwise(function) else { return false }
        try attributes.appendEltwise(step)
      case .clip(let lower, let upper): try attributes.appendEltwise(.clip(lower, upper))
      case .add, .recode: return false
      }
    }
    return true
  }

  /// A binary primitive whose second operand may be broadcast.
  func addBinary(_ region: Region, _ algorithm: dnnl_alg_kind_t) throws(OneDNNError) -> Bool {
    guard var left = region.input(0), var right = region.input(1), region.addends.isEmpty,
      region.givesReals(in: graph), let output = type(of: region.output),
      (1...6).contains(output.shape.count), var leftShape = shape(of: left),
      var rightShape = shape(of: right)
    else { return false }
    if leftShape != output.shape {
      guard rightShape == output.shape,
        algorithm == dnnl_binary_add || algorithm == dnnl_binary_mul
      else { return false }
      swap(&left, &right)
      swap(&leftShape, &rightShape)
    }
    guard let (a, layout) = try anyDense(left, as: realType) else { return false }
    let missing = output.shape.count - rightShape.count
    let full = [Int](repeating: 1, count: missing) + rightShape
    let b: Placement?
    if missing > 0 {
      b = try dense(right, .plain, as: realType)?.reshaped(to: full)
    } else {
      b = try dense(right, rightShape == output.shape ? layout : anyLayout(of: right), as: realType)
    }
    guard var b else { return false }
    if full.reduce(1, *) == 1 { b.strides = Tensor.strides(of: full) }
    let attributes = try PrimitiveAttributes()
    guard try append(region.stages, to: attributes) else { return false }
    let target = try claim(left, layout, as: realType) ?? allocate(realType, output.shape, layout)
    let from = try descriptor(a)
    let with = try descriptor(b)
    var made: dnnl_primitive_desc_t?
    let status = dnnl_binary_primitive_desc_create(
      &made, engine.handle, algorithm, from.handle, with.handle, from.handle, attributes.handle)
    guard status == dnnl_success, let made else { return false }
    let primitive = try Primitive(owning: made)
    try addPrimitive(
      primitive,
      [
        PrimitiveArgument(argument: DNNL_ARG_SRC_0, descriptor: from, placement: a),
        PrimitiveArgument(argument: DNNL_ARG_SRC_1, descriptor: with, placement: b),
        PrimitiveArgument(argument: DNNL_ARG_DST, descriptor: from, placement: target),
      ], writes: [DNNL_ARG_DST],
      label: label(
        region.node, implementation: primitive.implementation, precision: realType.shortName))
    setPlacement(target, of: region.output)
    return true
  }

  private func anyLayout(of value: ValueID) throws(OneDNNError) -> Layout {
    guard let present = try placement(of: value) else { return .plain }
    return present.isDense(.plain) ? .plain : .channelsLast
  }

  /// A function of 8-bit codes as a table of 256 entries, made by the region's own meaning.
  func addLookup(_ region: Region) throws(OneDNNError) -> Bool {
    guard let input = region.input(0), let code = region.code(0), let to = region.outputCode,
      Region.scalar(code) != nil, Region.scalar(to) != nil, code.elementType.bitWidth == 8,
      to.elementType.bitWidth == 8, region.addends.isEmpty
    else { return false }
    let constants = region.inputs.dropFirst().map { graph.constant($0) }
    let codes = Tensor(
      integers: (0..<256).map { Int64($0) }, shape: [256], elementType: code.elementType)
    guard
      let results = try? region.node.op.evaluate([codes] + constants, outputCount: 1),
      let table = results.first?.bytes, table.count == 256,
      let (source, layout) = try anyDense(input)
    else { return false }
    let target = allocate(to.elementType, source.shape, layout)
    let blocks = (source.count + 4095) / 4096
    let count = source.count
    addRows(
      of: blocks, work: count, from: source, to: target,
      label: label(
        region.node, implementation: "swiftlet table", precision: code.elementType.shortName)
    ) { from, to, range in
      let first = range.lowerBound * 4096
      swk_lookup(
        table, from.assumingMemoryBound(to: UInt8.self) + first,
        to.assumingMemoryBound(to: UInt8.self) + first, min(range.upperBound * 4096, count) - first)
    }
    setPlacement(target, of: region.output)
    return true
  }

  /// A sum of codes of the same shape.
  func addQuantizedSum(_ region: Region) throws(OneDNNError) -> Bool {
    guard let left = region.input(0), let right = region.input(1), graph.constant(left) == nil,
      graph.constant(right) == nil, let shape = shape(of: left), shape == self.shape(of: right),
      let first = Region.scalar(region.code(0)),
      let epilogue = region.kernelEpilogue(realType: realType),
      let (a, layout) = try anyDense(left)
    else { return false }
    var second: (scale: Float, zeroPoint: Int32) = (1, 0)
    var b: Placement?
    if region.code(1) == nil {
      b = try dense(right, layout, as: .float32)
    } else if let code = Region.scalar(region.code(1)) {
      second = code
      b = try dense(right, layout)
    }
    guard let b, let aType = a.elementType.kernel, let bType = b.elementType.kernel else {
      return false
    }
    let target = allocate(region.storedType(realType: realType), shape, layout)
    let count = a.count
    let threads = count < 16384 ? 1 : threads
    let aFormat = swk_format(type: aType, scale: first.scale, zero_point: first.zeroPoint)
    let bFormat = swk_format(type: bType, scale: second.scale, zero_point: second.zeroPoint)
    add(
      Step(
        label: label(
          region.node, implementation: "swiftlet", precision: a.elementType.shortName),
        reads: [a.buffer, b.buffer], writes: [target.buffer]
      ) { memory in
        let one = memory.address(a)
        let other = memory.address(b)
        let result = memory.address(target)
        return { _ in
          ThreadTeam.forEachRange(of: count, threads: threads) { range in
            var aFormat = aFormat
            var bFormat = bFormat
            var epilogue = epilogue
            swk_add_quantized(
              &aFormat, one, &bFormat, other, &epilogue, result, range.lowerBound,
              range.upperBound)
          }
        }
      })
    setPlacement(target, of: region.output)
    return true
  }

  /// Each channel of an image times its factor `[N, C, 1, 1]` (squeeze and excite).
  func addChannelProduct(_ region: Region) throws(OneDNNError) -> Bool {
    guard var image = region.input(0), var factor = region.input(1),
      var shape = shape(of: image), var factorShape = self.shape(of: factor),
      shape.count == 4, factorShape.count == 4, shape != factorShape,
      let epilogue = region.kernelEpilogue(realType: realType)
    else { return false }
    var codes = (region.code(0), region.code(1))
    if shape[2] * shape[3] == 1 {
      swap(&image, &factor)
      swap(&shape, &factorShape)
      codes = (codes.1, codes.0)
    }
    guard factorShape == [shape[0], shape[1], 1, 1],
      let x = try channelOperand(image, codes.0, .channelsLast),
      let s = try channelOperand(factor, codes.1, .channelsLast)
    else { return false }
    let target = allocate(region.storedType(realType: realType), shape, .channelsLast)
    let channels = shape[1]
    let pixels = shape[2] * shape[3]
    let threads = x.placement.count < 16384 ? 1 : threads
    let rows = shape[0] * pixels
    add(
      Step(
        label: label(
          region.node, implementation: "swiftlet", precision: x.placement.elementType.shortName),
        reads: [x.placement.buffer, s.placement.buffer], writes: [target.buffer]
      ) { memory in
        let one = memory.address(x.placement)
        let other = memory.address(s.placement)
        let result = memory.address(target)
        return { _ in
          ThreadTeam.forEachRange(of: rows, threads: threads) { range in
            var xFormat = x.format
            var factorFormat = s.format
            var epilogue = epilogue
            swk_mul_channels(
              &xFormat, one, &factorFormat, other, &epilogue, result, channels, pixels,
              range.lowerBound, range.upperBound)
          }
        }
      })
    setPlacement(target, of: region.output)
    return true
  }

  private func channelOperand(
    _ value: ValueID, _ code: LinearCode?, _ layout: Layout
  ) throws(OneDNNError) -> (placement: Placement, format: swk_format)? {
    var format = swk_format(type: SWK_F32, scale: 1, zero_point: 0)
    var wanted: ElementType?
    if let code {
      guard let (scale, zeroPoint) = Region.scalar(code) else { return nil }
      format.scale = scale
      format.zero_point = zeroPoint
    } else {
      guard graph.type(value)?.elementType == .float32 else { return nil }
      wanted = realType
    }
    guard let placement = try dense(value, layout, as: wanted),
      let type = placement.elementType.kernel
    else { return nil }
    format.type = type
    return (placement, format)
  }
}
