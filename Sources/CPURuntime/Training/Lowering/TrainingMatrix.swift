// SPDX-License-Identifier: Apache-2.0
import CKernels
import COneDNN
import GraphIR
import TensorCore

/// A product of two matrices, each perhaps transposed.
private struct TrainingProduct {
  var left: ValueID
  var right: ValueID
  var transposesLeft = false
  var transposesRight = false
  var factor: Float = 1
  var addend: ValueID?
  var output: ValueID

  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let a = builder.shape(of: left), let b = builder.shape(of: right), a.count == 2,
      b.count == 2, builder.shape(of: output)?.count == 2, !a.contains(0), !b.contains(0),
      builder.workingType([left, right]) != nil
    else { return false }
    if builder.isSharded(a), builder.isSharded(b), transposesLeft, !transposesRight {
      return try lowerSum(node, a, b, into: builder)
    }
    guard !transposesLeft || !builder.isSharded(a) else { return false }
    return try lowerRows(node, a, b, into: builder)
  }

  /// Rows of the left matrix by the whole right one.
  private func lowerRows(
    _ node: Node, _ a: [Int], _ b: [Int], into builder: TrainingBuilder
  ) throws(OneDNNError) -> Bool {
    let rows = transposesLeft ? a[1] : a[0]
    let inner = transposesLeft ? a[0] : a[1]
    let columns = transposesRight ? b[0] : b[1]
    let isSharded = builder.isSharded([rows]) && !transposesLeft
    guard (transposesRight ? b[1] : b[0]) == inner,
      let type = isSharded ? builder.realType : builder.workingType([left, right]),
      let source = builder.dense(left, .plain, as: type),
      let weights = builder.dense(right, .plain, as: type), let kind = type.oneDNN
    else { return false }
    var shift: Placement?
    if let addend {
      guard let shape = builder.shape(of: addend), shape == [columns] || shape == [1, columns],
        let dense = builder.dense(addend, .plain, as: .float32)
      else { return false }
      shift = dense
    }
    let shardRows = isSharded ? builder.shards.size : rows
    let target = builder.allocate(type, [rows, columns], .plain)
    let from = try MemoryDescriptor(
      kind, shape: [shardRows, inner], strides: transposesLeft ? [1, rows] : [inner, 1])
    let with = try MemoryDescriptor(
      kind, shape: [inner, columns], strides: transposesRight ? [1, inner] : [columns, 1])
    let to = try MemoryDescriptor(dense: kind, shape: [shardRows, columns])
    let bias = shift == nil ? nil : try MemoryDescriptor(dense: dnnl_f32, shape: [1, columns])
    let attributes = try PrimitiveAttributes()
    if factor != 1 { try attributes.appendEltwise(.linear(factor, 0)) }
    let made = try builder.primitive("matrix product") {
      dnnl_matmul_primitive_desc_create(
        $0, builder.engine.handle, from.handle, with.handle, bias?.handle, to.handle,
        attributes.handle)
    }
    var arguments = [
      ShardArgument(argument: DNNL_ARG_SRC, descriptor: from, placement: source, cut: .batch),
      ShardArgument(argument: DNNL_ARG_WEIGHTS, descriptor: with, placement: weights, cut: .shared),
      ShardArgument(
        argument: DNNL_ARG_DST, descriptor: to, placement: target, cut: .batch, isWrite: true),
    ]
    if let shift, let bias {
      arguments.append(
        ShardArgument(argument: DNNL_ARG_BIAS, descriptor: bias, placement: shift, cut: .shared))
    }
    try builder.addPrimitive(
      made, arguments, isSharded: isSharded,
      label: builder.label(node, implementation: made.implementation, precision: type))
    builder.setPlacement(target, of: output)
    return true
  }

  /// `AᵀB` summed over the batch: one partial result per shard.
  private func lowerSum(
    _ node: Node, _ a: [Int], _ b: [Int], into builder: TrainingBuilder
  ) throws(OneDNNError) -> Bool {
    guard addend == nil, let kind = builder.realType.oneDNN,
      let source = builder.dense(left, .plain, as: builder.realType),
      let other = builder.dense(right, .plain, as: builder.realType)
    else { return false }
    let size = builder.shards.size
    let from = try MemoryDescriptor(kind, shape: [a[1], size], strides: [1, a[1]])
    let with = try MemoryDescriptor(dense: kind, shape: [size, b[1]])
    let to = try MemoryDescriptor(dense: dnnl_f32, shape: [a[1], b[1]])
    let attributes = try PrimitiveAttributes()
    if factor != 1 { try attributes.appendEltwise(.linear(factor, 0)) }
    let made = try builder.primitive("matrix product") {
      dnnl_matmul_primitive_desc_create(
        $0, builder.engine.handle, from.handle, with.handle, nil, to.handle, attributes.handle)
    }
    let partials = builder.allocatePartials(.float32, a[1] * b[1])
    try builder.addPrimitive(
      made,
      [
        ShardArgument(argument: DNNL_ARG_SRC, descriptor: from, placement: source, cut: .batch),
        ShardArgument(argument: DNNL_ARG_WEIGHTS, descriptor: with, placement: other, cut: .batch),
        ShardArgument(
          argument: DNNL_ARG_DST, descriptor: to, placement: partials, cut: .partial,
          isWrite: true),
      ], isSharded: true,
      label: builder.label(
        node, implementation: made.implementation, precision: builder.realType))
    try builder.addSum(
      of: partials, in: to, shape: [a[1], b[1]], to: output,
      label: builder.label("SumOfShards", .float32))
    return true
  }
}

extension Gemm: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let left = node.inputs[0], let right = node.inputs[1], let output = node.outputs[0] else {
      return false
    }
    let addend = node.inputs.count > 2 ? node.inputs[2] : nil
    guard addend == nil || (alpha == 1 && beta == 1) else { return false }
    return try TrainingProduct(
      left: left, right: right, transposesLeft: transposesA, transposesRight: transposesB,
      factor: alpha, addend: addend, output: output
    ).lower(node, into: builder)
  }
}

extension MatMul: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let left = node.inputs[0], let right = node.inputs[1], let output = node.outputs[0] else {
      return false
    }
    return try TrainingProduct(left: left, right: right, output: output).lower(node, into: builder)
  }
}
