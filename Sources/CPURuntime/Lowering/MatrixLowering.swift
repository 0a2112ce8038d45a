// SPDX-License-Identifier: Apache-2.0
import COneDNN
import GraphIR
import TensorCore

extension Gemm: RegionLowerable {
  func lower(_ region: Region, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard !transposesA, let input = region.input(0), let shape = builder.shape(of: input),
      shape.count == 2, let weight = builder.graph.constant(region.input(1)), weight.rank == 2
    else { return false }
    let columns = weight.shape[transposesB ? 0 : 1]
    let product = MatrixProduct(
      region: region, input: input, rows: shape[0], inner: shape[1], columns: columns,
      weight: weight, transposesWeight: transposesB, outputShape: [shape[0], columns])
    if region.input(2) != nil {
      guard let bias = builder.graph.constant(region.input(2)),
        bias.count == columns && bias.shape.last == columns, beta == 1 || region.code(2) == nil
      else { return false }
    }
    if region.isQuantized, builder.precision != .fp32, alpha == 1, beta == 1 {
      if region.hasCodedAddendOfReals {
        return try region.lowerWithRealAddends(self, into: builder)
      }
      if try product.lowerInteger(into: builder) { return true }
    }
    return region.code(0) == nil && region.outputCode == nil
      ? try product.lowerReal(into: builder, alpha: alpha, beta: beta)
      : try region.lowerThroughReals(self, into: builder)
  }
}

extension MatMul: RegionLowerable {
  func lower(_ region: Region, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let input = region.input(0), let shape = builder.shape(of: input), shape.count >= 2
    else { return false }
    guard let weight = builder.graph.constant(region.input(1)), weight.rank == 2 else {
      return try region.codes.contains { $0 != nil } || region.outputCode != nil
        ? region.lowerThroughReals(self, into: builder) : lowerBatched(region, into: builder)
    }
    let product = MatrixProduct(
      region: region, input: input, rows: shape.dropLast().reduce(1, *),
      inner: shape[shape.count - 1], columns: weight.shape[1], weight: weight,
      transposesWeight: false, outputShape: Array(shape.dropLast()) + [weight.shape[1]])
    if region.isQuantized, builder.precision != .fp32 {
      if region.hasCodedAddendOfReals {
        return try region.lowerWithRealAddends(self, into: builder)
      }
      if try product.lowerInteger(into: builder) { return true }
    }
    return region.code(0) == nil && region.outputCode == nil
      ? try product.lowerReal(into: builder, alpha: 1, beta: 1)
      : try region.lowerThroughReals(self, into: builder)
  }

  /// The product of two computed operands with equal or broadcast batch axes.
  private func lowerBatched(
    _ region: Region, into builder: ProgramBuilder
  ) throws(OneDNNError) -> Bool {
    guard let left = region.input(0), let right = region.input(1),
      region.givesReals(in: builder.graph), let output = builder.type(of: region.output),
      let columns = output.shape.last,
      let stages = ProductStages(region, channels: columns, in: builder.graph),
      let a = try builder.productOperand(left), let b = try builder.productOperand(right),
      a.shape.count >= 2, b.shape.count >= 2, (2...6).contains(output.shape.count),
      a.count > 0, b.count > 0
    else { return false }
    let type = builder.realType
    let target: Placement
    var addendType: ElementType?
    if stages.sum == nil {
      target = builder.allocateForConsumer(region.output, type, output.shape)
    } else {
      guard
        let (claimed, claimedType) = try builder.productTarget(
          stages, type, output.shape, .plain, reading: a),
        claimed.buffer != b.buffer
      else { return false }
      target = claimed
      addendType = claimedType
    }
    let product = BatchedProduct(
      left: a, right: b, target: target, bias: stages.bias,
      node: region.node, kind: "MatMul")
    let entry = Eltwise.linear(1 / stages.unit, stages.biasOffset)
    let needsEntry = stages.unit != 1 || stages.biasOffset != 0
    guard
      try builder.add(
        product,
        attributes: { () throws(OneDNNError) in
          try stages.attributes(addendType: addendType, after: needsEntry ? entry : nil)
        })
    else { return false }
    builder.setPlacement(target, of: region.output)
    return true
  }
}

/// A product of activations `[rows, inner]` with a constant matrix and what is fused around it.
struct MatrixProduct {
  let region: Region
  let input: ValueID
  let rows: Int
  let inner: Int
  let columns: Int
  let weight: Tensor
  /// Whether the weight lies as `[columns, inner]`.
  let transposesWeight: Bool
  let outputShape: [Int]

  private var weightStrides: [Int] { transposesWeight ? [1, inner] : [columns, 1] }

  func lowerReal(
    into builder: ProgramBuilder, alpha: Float, beta: Float
  ) throws(OneDNNError) -> Bool {
    guard let stages = ProductStages(region, channels: columns, in: builder.graph),
      var weights = region.constantReals(1, in: builder.graph), weights.count == inner * columns
    else { return false }
    let factor = alpha / stages.unit
    if factor != 1 { weights = weights.map { $0 * factor } }
    let bias = stages.scaledBias(
      region.constantReals(2, in: builder.graph)?.map { $0 * beta }, channels: columns)
    let type = builder.realType
    guard let source = try builder.dense(input, .plain, as: type), let kind = type.oneDNN,
      let (target, addendType) = try builder.productTarget(
        stages, type, outputShape, .plain, reading: source)
    else { return false }
    let attributes = try stages.attributes(addendType: addendType)
    try addStep(
      builder, source: source, target: target, attributes: attributes, weights: weights,
      storedAs: dnnl_f32, weightType: kind, bias: bias, extra: [], precision: type)
    return true
  }

  func lowerInteger(into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let stages = ProductStages(region, channels: columns, in: builder.graph),
      weight.count == inner * columns,
      let product = IntegerProduct(
        region, weight: weight, channels: columns, channelAxis: transposesWeight ? 0 : 1,
        in: builder.graph)
    else { return false }
    let stored = region.storedType(realType: builder.realType)
    guard stored.oneDNN != nil, let source = try builder.dense(input, .plain),
      let (target, addendType) = try builder.productTarget(
        stages, stored, outputShape, .plain, reading: source)
    else { return false }
    var sums = [Int32](repeating: 0, count: columns)
    for row in 0..<inner {
      for column in 0..<columns {
        sums[column] += Int32(product.weights[row * weightStrides[0] + column * weightStrides[1]])
      }
    }
    let bias = stages.scaledBias(
      product.biasAbsorbingZeroPoint(sums: sums), channels: columns)
    let scales = product.weightScales.map { $0 * product.sourceScale / stages.unit }
    let attributes = try stages.attributes(addendType: addendType)
    try attributes.setScales(of: DNNL_ARG_WEIGHTS, mask: 2)
    let extra = [
      PrimitiveArgument(
        argument: DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS,
        descriptor: try MemoryDescriptor(dense: dnnl_f32, shape: [scales.count]),
        placement: try builder.addConstant(scales))
    ]
    try addStep(
      builder, source: source, target: target, attributes: attributes, weights: product.weights,
      storedAs: dnnl_s8, weightType: dnnl_s8, bias: bias, extra: extra,
      precision: source.elementType)
    return true
  }

  private func addStep<Weight: BitwiseCopyable>(
    _ builder: ProgramBuilder, source: Placement, target: Placement,
    attributes: PrimitiveAttributes, weights: [Weight], storedAs: dnnl_data_type_t,
    weightType: dnnl_data_type_t, bias: [Float]?, extra: [PrimitiveArgument],
    precision: ElementType
  ) throws(OneDNNError) {
    let from = try builder.descriptor(source, shape: [rows, inner], strides: [inner, 1])
    let to = try builder.descriptor(target, shape: [rows, columns], strides: [columns, 1])
    let any = try MemoryDescriptor(any: weightType, shape: [inner, columns])
    let biasLayout = bias == nil ? nil : try MemoryDescriptor(dense: dnnl_f32, shape: [1, columns])
    var made: dnnl_primitive_desc_t?
    try check(
      dnnl_matmul_primitive_desc_create(
        &made, builder.engine.handle, from.handle, any.handle, biasLayout?.handle, to.handle,
        attributes.handle), "matrix product")
    guard let made else {
      throw OneDNNError(call: "matrix product", status: dnnl_runtime_error.rawValue)
    }
    let primitive = try Primitive(owning: made)
    let wanted = try primitive.layout(of: DNNL_ARG_WEIGHTS)
    let given = try MemoryDescriptor(storedAs, shape: [inner, columns], strides: weightStrides)
    let packed = try builder.reordered(weights, from: given, to: wanted)
    var arguments = [
      PrimitiveArgument(argument: DNNL_ARG_SRC, descriptor: from, placement: source),
      PrimitiveArgument(argument: DNNL_ARG_WEIGHTS, descriptor: wanted, placement: packed),
      PrimitiveArgument(argument: DNNL_ARG_DST, descriptor: to, placement: target),
    ]
    if let bias, let biasLayout {
      arguments.append(
        PrimitiveArgument(
          argument: DNNL_ARG_BIAS, descriptor: biasLayout,
          placement: try builder.addConstant(bias)))
    }
    try builder.addPrimitive(
      primitive, arguments + extra, writes: [DNNL_ARG_DST],
      label: builder.label(
        region.node, kind: "MatMul", implementation: primitive.implementation,
        precision: precision.shortName))
    builder.setPlacement(target, of: region.output)
  }
}
