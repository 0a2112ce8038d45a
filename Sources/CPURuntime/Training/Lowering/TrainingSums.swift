// SPDX-License-Identifier: Apache-2.0
import CKernels
import COneDNN
import GraphIR
import TensorCore

extension TrainingBuilder {
  /// The sum over rows of a dense `[rows, channels]` tensor whose first axis is the batch, as the
  /// value of a node.
  func addChannelSum(
    of source: Placement, rows: Int, channels: Int, to output: ValueID, label: StepLabel
  ) -> Bool {
    guard let result = type(of: output), let type = source.elementType.kernel,
      type == SWK_F32 || type == SWK_BF16, sumsOverShards(source.shape),
      result.shape.reduce(1, *) == channels
    else { return false }
    let partials = allocatePartials(.float64, channels)
    let stride = partials.shape[1]
    let shardCount = shards.count
    let shardRows = rows / shardCount
    add(
      TrainingTask(
        label: label, scope: .shards,
        accesses: [.reads(source, extent(of: source, in: .shards)), .writes(partials, .own)]
      ) { [shards] memory, shard in
        let x = memory.address(shards.part(shard, of: source))
        let partial = memory.address(partials).assumingMemoryBound(to: Double.self)
        return { swk_channel_sum(type, x, partial + shard * stride, channels, 0, shardRows) }
      })
    let target = allocate(.float32, result.shape, .plain)
    add(
      TrainingTask(
        label: self.label("SumOfShards", .float32), scope: .pieces,
        accesses: [.reads(partials, .whole), .writes(target, .own)], floats: true
      ) { memory, piece in
        let from = memory.address(partials).assumingMemoryBound(to: Double.self)
        let to = memory.floats(target)
        let range = ShardPlan.piece(piece, of: channels)
        return {
          swk_sum_partials_f64(from, shardCount, stride, to, range.lowerBound, range.upperBound)
        }
      })
    owners[output] = .pieces
    setPlacement(target, of: output)
    return true
  }
}

extension ChannelSum: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let input = node.inputs[0], let output = node.outputs[0],
      let shape = builder.shape(of: input), shape.count >= 2,
      builder.sumsOverShards(shape), let present = builder.placement(of: input)
    else { return false }
    let type = present.elementType == .bfloat16 ? ElementType.bfloat16 : .float32
    guard let source = builder.dense(input, .channelsLast, as: type) else { return false }
    return builder.addChannelSum(
      of: source, rows: builder.rows(shape), channels: shape[1], to: output,
      label: builder.label(node, implementation: "swiftlet", precision: type))
  }
}

extension SumToShape: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let input = node.inputs[0], let output = node.outputs[0],
      let shape = builder.shape(of: input), shape.count >= 2,
      let wanted = builder.shape(of: output), wanted.count <= shape.count,
      builder.sumsOverShards(shape), let present = builder.placement(of: input)
    else { return false }
    let type = present.elementType == .bfloat16 ? ElementType.bfloat16 : .float32
    let full = [Int](repeating: 1, count: shape.count - wanted.count) + wanted
    let label = builder.label(node, implementation: "swiftlet", precision: type)
    if full[0] == 1, full[1] == shape[1], full[2...].allSatisfy({ $0 == 1 }) {
      guard let source = builder.dense(input, .channelsLast, as: type) else { return false }
      return builder.addChannelSum(
        of: source, rows: builder.rows(shape), channels: shape[1], to: output, label: label)
    }
    guard full[0] == shape[0], full[1] == shape[1], full[2...].allSatisfy({ $0 == 1 }),
      let source = builder.dense(input, .channelsLast, as: type), let kind = type.kernel
    else { return false }
    let channels = shape[1]
    let pixels = shape[2...].reduce(1, *)
    let width = type.bitWidth / 8
    let target = builder.allocate(type, wanted, .channelsLast)
    let sums = builder.allocateThreadCopies(.float64, [channels])
    let rounded = builder.allocateThreadCopies(.float32, [channels])
    builder.addSharded(
      label, reads: [source], writes: [target, sums, rounded], alike: shape
    ) { memory, part in
      let from = memory.address(part(source))
      let to = memory.address(part(target))
      let images = part(source).shape[0]
      let sums = memory.address(sums).assumingMemoryBound(to: Double.self)
      let rounded = memory.floats(rounded)
      return {
        for image in 0..<images {
          swk_channel_sum(kind, from + image * pixels * channels * width, sums, channels, 0, pixels)
          let row = to + image * channels * width
          if kind == SWK_F32 {
            swk_sum_partials_f64(
              sums, 1, channels, row.assumingMemoryBound(to: Float.self), 0, channels)
          } else {
            swk_sum_partials_f64(sums, 1, channels, rounded, 0, channels)
            swk_f32_to_bf16(rounded, row.assumingMemoryBound(to: UInt16.self), channels)
          }
        }
      }
    }
    builder.setPlacement(target, of: output)
    return true
  }
}
