// SPDX-License-Identifier: Apache-2.0
import CKernels
import COneDNN
import GraphIR
import TensorCore

extension TrainingBuilder {
  /// A value's elements in the layout and type that a primitive asks for, made once per step.
  ///
  /// - Parameter shape: The shape under which the primitive sees the value.
  func packed(
    _ value: ValueID, shape: [Int], as wanted: MemoryDescriptor
  ) throws(OneDNNError) -> Placement? {
    guard let plain = dense(value, .plain), plain.elementType == .float32 else { return nil }
    let given = try MemoryDescriptor(dense: dnnl_f32, shape: shape)
    if given.isEqual(to: wanted) { return plain }
    if let known = packedForms[value]?.first(where: { $0.descriptor.isEqual(to: wanted) }) {
      return known.placement
    }
    let target = allocate(.uint8, [wanted.byteCount], .plain)
    try addPrimitive(
      try reorderPrimitive(from: given, to: wanted),
      [
        ShardArgument(
          argument: DNNL_ARG_FROM, descriptor: given, placement: plain, cut: .shared),
        ShardArgument(
          argument: DNNL_ARG_TO, descriptor: wanted, placement: target, cut: .shared,
          isWrite: true),
      ], isSharded: false, label: label("Weights", realType), floats: true)
    packedForms[value, default: []].append((wanted, target))
    return target
  }

  /// Memory for one partial result per shard, `[shards, elements]`.
  func allocatePartials(_ type: ElementType, _ count: Int) -> Placement {
    let unit = MemoryPlan.alignment * 8 / type.bitWidth
    return allocate(type, [shards.count, (count + unit - 1) / unit * unit], .plain)
  }

  /// Adds the shards' partial results in shard order and lays them out as the row-major value of
  /// a node.
  ///
  /// - Parameters:
  ///   - layout: Of one partial result, an `f32` tensor.
  ///   - shape: The shape under which the primitive that made it sees the value.
  func addSum(
    of partials: Placement, in layout: MemoryDescriptor, shape: [Int], to output: ValueID,
    label: StepLabel
  ) throws(OneDNNError) {
    guard let type = type(of: output) else { return }
    let target = allocate(.float32, type.shape, .plain)
    let plain = try MemoryDescriptor(dense: dnnl_f32, shape: shape)
    let isPlain = plain.isEqual(to: layout)
    let count = layout.byteCount / 4
    let sum = isPlain ? target : partials.sliced(axis: 0, start: 0, extent: 1)
    let stride = partials.shape[1]
    let shardCount = shards.count
    if shardCount > 1 || isPlain {
      add(
        TrainingTask(
          label: label, scope: .pieces,
          accesses: [.reads(partials, .whole), .writes(sum, .own)], floats: true
        ) { memory, piece in
          let from = memory.floats(partials)
          let to = memory.floats(sum)
          let range = ShardPlan.piece(piece, of: count)
          return {
            swk_sum_partials(from, shardCount, stride, to, range.lowerBound, range.upperBound)
          }
        })
    }
    if !isPlain {
      let chain = nextChain()
      owners[output] = .single(chain)
      try addPrimitive(
        try reorderPrimitive(from: layout, to: plain),
        [
          ShardArgument(argument: DNNL_ARG_FROM, descriptor: layout, placement: sum, cut: .shared),
          ShardArgument(
            argument: DNNL_ARG_TO, descriptor: plain, placement: target, cut: .owned,
            isWrite: true),
        ], isSharded: false, label: self.label("Weights", .float32), chain: chain, floats: true)
    }
    if isPlain { owners[output] = .pieces }
    setPlacement(target, of: output)
  }
}
