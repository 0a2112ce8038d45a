// SPDX-License-Identifier: Apache-2.0
import CKernels
import COneDNN
import GraphIR
import TensorCore

/// What an integer product needs to know of its operands' codes.
struct IntegerProduct {
  let sourceScale: Float
  let sourceZeroPoint: Int32
  /// Signed, zero point 0.
  let weights: [Int8]
  /// One per output channel.
  let weightScales: [Float]
  /// In reals; one per output channel.
  let bias: [Float]

  /// `nil` where the codes are none that the integer kernels compute with.
  ///
  /// - Parameters:
  ///   - channels: Number of output channels.
  ///   - channelAxis: The weights' axis of output channels.
  init?(_ region: Region, weight: Tensor, channels: Int, channelAxis: Int, in graph: Graph) {
    guard let sourceCode = region.code(0), let weightCode = region.code(1),
      sourceCode.elementType == .uint8 || sourceCode.elementType == .int8,
      let (scale, zeroPoint) = Region.scalar(sourceCode),
      weightCode.scales.count == 1
        || (weightCode.axis == channelAxis && weightCode.scales.count == channels)
    else { return nil }
    switch weightCode.elementType {
    case .int8 where weightCode.isSymmetric:
      weights = weight.bytes.map { Int8(bitPattern: $0) }
    case .uint8 where weightCode.zeroPoints.allSatisfy({ $0 == 128 }):
      weights = weight.bytes.map { Int8(bitPattern: $0 ^ 0x80) }
    default: return nil
    }
    sourceScale = scale
    sourceZeroPoint = zeroPoint
    weightScales =
      weightCode.scales.count == channels
      ? weightCode.scales : Array(repeating: weightCode.scales[0], count: channels)
    if region.input(2) == nil {
      bias = Array(repeating: 0, count: channels)
    } else {
      guard let reals = region.constantReals(2, in: graph), reals.count == channels else {
        return nil
      }
      bias = reals
    }
  }

  /// The bias with the source's zero point taken out of the sums: `Σ w·(x − z) = Σ w·x − z·Σ w`.
  ///
  /// Right only where no window reaches into padding.
  func biasAbsorbingZeroPoint(sums: [Int32]) -> [Float] {
    bias.indices.map { channel in
      bias[channel]
        - sourceScale * weightScales[channel] * Float(sourceZeroPoint) * Float(sums[channel])
    }
  }
}

extension ConvolutionProduct {
  private var hasPadding: Bool {
    zip(geometry.padsBegin, geometry.padsEnd).contains { $0 > 0 || $1 > 0 }
  }

  /// Sum of each output channel's weights.
  private func sums(_ weights: [Int8]) -> [Int32] {
    let perChannel = weights.count / max(outputShape[1], 1)
    return (0..<outputShape[1]).map { channel in
      weights[(channel * perChannel)..<((channel + 1) * perChannel)]
        .reduce(Int32(0)) { $0 + Int32($1) }
    }
  }

  func lowerInteger(into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let stages = ProductStages(region, channels: outputShape[1], in: builder.graph),
      stages.bias == nil,
      let product = IntegerProduct(
        region, weight: weight, channels: outputShape[1], channelAxis: 0, in: builder.graph)
    else { return false }
    let storedType = region.storedType(realType: builder.realType)
    guard storedType.oneDNN != nil,
      let source = try builder.dense(input, .channelsLast),
      let (target, addendType) = try builder.productTarget(
        stages, storedType, outputShape, .channelsLast, reading: source)
    else { return false }
    let absorbs = product.sourceZeroPoint != 0 && !hasPadding
    let reals = absorbs ? product.biasAbsorbingZeroPoint(sums: sums(product.weights)) : product.bias
    let bias = reals.map { $0 / stages.unit + stages.biasOffset }
    let scales = product.weightScales.map { $0 * product.sourceScale / stages.unit }
    let attributes = try stages.attributes(addendType: addendType)
    try attributes.setScales(of: DNNL_ARG_WEIGHTS, mask: group == 1 ? 1 : 3)
    var extra = [
      PrimitiveArgument(
        argument: DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS,
        descriptor: try MemoryDescriptor(dense: dnnl_f32, shape: [scales.count]),
        placement: try builder.addConstant(scales))
    ]
    if product.sourceZeroPoint != 0 && !absorbs {
      try attributes.setZeroPoint(of: DNNL_ARG_SRC)
      extra.append(
        PrimitiveArgument(
          argument: DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_SRC,
          descriptor: try MemoryDescriptor(dense: dnnl_s32, shape: [1]),
          placement: try builder.addConstant([product.sourceZeroPoint])))
    }
    let hasBias = bias.contains { $0 != 0 }
    let primitive = try makePrimitive(
      builder, source: source, target: target, weightType: dnnl_s8, hasBias: hasBias, attributes)
    try addStep(
      builder, primitive, source: source, target: target, weights: product.weights,
      weightType: dnnl_s8, bias: hasBias ? bias : nil, extra: extra,
      precision: source.elementType)
    return true
  }

  /// Depthwise convolutions go to our own kernel.
  func lowerDepthwise(into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    let channels = outputShape[1]
    guard shape.count == 4, group == channels, shape[1] == channels, weight.shape[1] == 1,
      let epilogue = region.kernelEpilogue(realType: builder.realType),
      let product = IntegerProduct(
        region, weight: weight, channels: channels, channelAxis: 0, in: builder.graph),
      let source = try builder.dense(input, .channelsLast), let kind = source.elementType.kernel
    else { return false }
    var arguments = swk_depthwise(
      batch: shape[0], channels: channels, height: shape[2], width: shape[3],
      output_height: geometry.output[0], output_width: geometry.output[1],
      kernel_height: geometry.kernel[0], kernel_width: geometry.kernel[1],
      stride_height: geometry.strides[0], stride_width: geometry.strides[1],
      dilation_height: geometry.dilations[0], dilation_width: geometry.dilations[1],
      pad_top: geometry.padsBegin[0], pad_left: geometry.padsBegin[1], src_type: kind,
      src_zero_point: product.sourceZeroPoint, epilogue: epilogue)
    let taps = geometry.kernel[0] * geometry.kernel[1]
    var tapMajor = [Int8](repeating: 0, count: product.weights.count)
    for channel in 0..<channels {
      for tap in 0..<taps {
        tapMajor[tap * channels + channel] = product.weights[channel * taps + tap]
      }
    }
    let scales = product.weightScales.map { $0 * product.sourceScale }
    let packed = try builder.addConstant(byteCount: swk_depthwise_packed_size(&arguments)) {
      address in swk_depthwise_pack(&arguments, tapMajor, scales, product.bias, address)
    }
    let target = builder.allocate(
      region.storedType(realType: builder.realType), outputShape, .channelsLast)
    let call = arguments
    let rows = shape[0] * geometry.output[0]
    let work = rows * geometry.output[1] * channels
    let threads = work < 8192 ? 1 : builder.threads
    builder.add(
      Step(
        label: builder.label(
          region.node, kind: "Conv", implementation: "swiftlet depthwise",
          precision: source.elementType.shortName),
        reads: [source.buffer, packed.buffer], writes: [target.buffer]
      ) { memory in
        let from = memory.address(source)
        let weights = memory.address(packed)
        let to = memory.address(target)
        return { _ in
          ThreadTeam.forEachRange(of: rows, threads: threads) { range in
            var call = call
            swk_depthwise_conv(&call, weights, from, to, range.lowerBound, range.upperBound)
          }
        }
      })
    builder.setPlacement(target, of: region.output)
    return true
  }
}
