// SPDX-License-Identifier: Apache-2.0
import CKernels
import COneDNN
import GraphIR
import TensorCore

extension DotProductAttention: Lowerable {
  /// Two matrix products that read heads where they lie, and one pass over the scores for scale,
  /// mask and softmax.
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard node.inputs.count >= 3, let query = node.inputs[0], let key = node.inputs[1],
      let value = node.inputs[2], let output = node.outputs[0],
      let type = builder.type(of: output), type.elementType == .float32,
      (3...6).contains(type.shape.count), let keys = builder.shape(of: key)?.last,
      let q = try builder.productOperand(query), let k = try builder.productOperand(key),
      let v = try builder.productOperand(value), type.shape.reduce(1, *) > 0, keys > 0
    else { return false }
    let shape = Array(type.shape.dropLast()) + [keys]
    var mask: (placement: Placement, offsets: [Int])?
    if node.inputs.count > 3, let given = node.inputs[3] {
      guard let dense = try builder.dense(given, .plain, as: .float32),
        let offsets = dense.rowOffsets(of: shape)
      else { return false }
      mask = (dense, offsets)
    }
    let none: () throws(OneDNNError) -> PrimitiveAttributes = { () throws(OneDNNError) in
      try PrimitiveAttributes()
    }
    let scores = builder.allocate(.float32, shape, .plain)
    guard
      try builder.add(
        BatchedProduct(left: q, right: k, target: scores, bias: nil, node: node, kind: kind),
        attributes: none)
    else { throw OneDNNError(call: kind, status: dnnl_unimplemented.rawValue) }
    let weights =
      builder.realType == .float32 ? scores : builder.allocate(builder.realType, shape, .plain)
    builder.addSoftmax(
      from: scores, to: weights, scale: scale, mask: mask, closedRowsAreZero: closedRowsAreZero,
      label: builder.label(
        node, implementation: "swiftlet softmax", precision: builder.realType.shortName))
    let target = builder.allocateForConsumer(output, builder.realType, type.shape)
    guard
      try builder.add(
        BatchedProduct(left: weights, right: v, target: target, bias: nil, node: node, kind: kind),
        attributes: none)
    else { throw OneDNNError(call: kind, status: dnnl_unimplemented.rawValue) }
    builder.setPlacement(target, of: output)
    return true
  }
}

extension Placement {
  /// Where the rows of a tensor that this dense one is broadcast to begin in it; `nil` if rows
  /// have another length.
  fileprivate func rowOffsets(of shape: [Int]) -> [Int]? {
    guard self.shape.last == shape.last, let wide = expanded(to: shape) else { return nil }
    var offsets = [0]
    for axis in shape.indices.dropLast() {
      offsets = offsets.flatMap { start in
        (0..<shape[axis]).map { start + $0 * wide.strides[axis] }
      }
    }
    return offsets
  }
}

extension ProgramBuilder {
  /// Rows of `f32` scores, which are overwritten, as weights.
  func addSoftmax(
    from scores: Placement, to weights: Placement, scale: Float,
    mask: (placement: Placement, offsets: [Int])?, closedRowsAreZero: Bool, label: StepLabel
  ) {
    guard let columns = scores.shape.last, let type = weights.elementType.kernel else { return }
    let rows = scores.count / columns
    let arguments = swk_softmax(
      type: type, columns: columns, scale: scale, closed_is_zero: closedRowsAreZero ? 1 : 0)
    let threads = scores.count < 8192 ? 1 : threads
    add(
      Step(
        label: label, reads: [scores.buffer] + (mask.map { [$0.placement.buffer] } ?? []),
        writes: [scores.buffer, weights.buffer]
      ) { memory in
        let source = memory.address(scores).assumingMemoryBound(to: Float.self)
        let target = memory.address(weights)
        let added = mask.map {
          UnsafePointer(memory.address($0.placement).assumingMemoryBound(to: Float.self))
        }
        let offsets = mask?.offsets ?? []
        return { _ in
          ThreadTeam.forEachRange(of: rows, threads: threads) { range in
            var arguments = arguments
            swk_softmax_rows(
              &arguments, source, added, added == nil ? nil : offsets, target, range.lowerBound,
              range.upperBound)
          }
        }
      })
  }
}
