// SPDX-License-Identifier: Apache-2.0
import CKernels
import GraphIR
import TensorCore

/// The last step of a batch normalization, whose result is computed shard by shard where it is
/// read: by the convolution behind it and by the gradient of that one's weights.
///
/// The result then needs no memory from the way forward to the way back, and none of it is read
/// from far away twice.
struct PendingNormalization: Sendable {
  let source: Placement
  let factor: Placement
  let offset: Placement
  let activation: swk_training_activation
  let type: swk_type
  let label: StepLabel
}

/// What a task does before its own work.
struct TaskPrelude: Sendable {
  let accesses: [TrainingTask.Access]
  let bind: @Sendable (TaskMemory, Int) -> () -> Void
}

extension TrainingBuilder {
  /// Whether the result of a normalization is read by one convolution, and otherwise only by
  /// gradients that can do without it.
  func isReadByOneConvolution(_ value: ValueID) -> Bool {
    guard let shape = shape(of: value), isSharded(shape), let nodes = readingNodes(value) else {
      return false
    }
    var convolutions = 0
    for node in nodes {
      let inputs = node.inputs.indices.filter { node.inputs[$0] == value }
      switch node.op {
      case is Conv where inputs == [0]: convolutions += 1
      case is ConvWeightGradient where inputs == [1]: continue
      case is BatchStatisticsNormalizationGradient where inputs == [3]: continue
      default: return false
      }
    }
    return convolutions == 1
  }

  /// Whether the gradients of a convolution are all that reads a value: they do so shard by shard
  /// right behind what computes it, so that memory of its own stays in the caches.
  func isReadByConvolutionGradients(_ value: ValueID) -> Bool {
    guard let shape = shape(of: value), isSharded(shape), let nodes = readingNodes(value) else {
      return false
    }
    return !nodes.isEmpty
      && nodes.allSatisfy { node in
        (node.op is ConvInputGradient || node.op is ConvWeightGradient)
          && node.inputs.indices.filter { node.inputs[$0] == value } == [0]
      }
  }

  /// Adds the last step of a normalization.
  func addNormalization(_ normalization: PendingNormalization, to target: Placement) {
    let source = normalization.source
    let rows = rows(shardShape(source).shape)
    add(
      TrainingTask(
        label: normalization.label, scope: .shards,
        accesses: accesses(
          reads: [source, normalization.factor], writes: [target], in: .shards)
      ) { [shards] memory, shard in
        let apply = normalization.bind(
          memory, shards.part(shard, of: source), to: shards.part(shard, of: target), rows: rows)
        return { apply() }
      })
  }

  /// Where a task that works shard by shard finds a value channels-last, and what it has to do
  /// first: a postponed normalization is computed into memory of the thread.
  func shardOperand(_ value: ValueID) -> (placement: Placement, prelude: TaskPrelude?)? {
    guard let normalization = postponed(value) else {
      return dense(value, .channelsLast, as: realType).map { ($0, nil) }
    }
    let source = normalization.source
    let part = shardShape(source).shape
    let target = allocateThreadCopies(source.elementType, part, .channelsLast)
    let rows = rows(part)
    let prelude = TaskPrelude(
      accesses: [
        .reads(source, extent(of: source, in: .shards)), .reads(normalization.factor, .own),
        .writes(target, .own),
      ]
    ) { [shards] memory, shard in
      normalization.bind(memory, shards.part(shard, of: source), to: target, rows: rows)
    }
    return (target, prelude)
  }
}

extension PendingNormalization {
  /// Computes `rows` rows.
  fileprivate func bind(
    _ memory: TaskMemory, _ from: Placement, to target: Placement, rows: Int
  ) -> () -> Void {
    let x = memory.address(from)
    let y = memory.address(target)
    let (factor, offset) = (memory.floats(factor), memory.floats(offset))
    let channels = source.shape[1]
    return {
      swk_batchnorm_apply(type, activation, x, factor, offset, nil, y, channels, 0, rows)
    }
  }
}
