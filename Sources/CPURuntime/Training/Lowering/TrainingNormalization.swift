// SPDX-License-Identifier: Apache-2.0
import CKernels
import COneDNN
import GraphIR
import TensorCore

extension TrainingActivation {
  var kernel: swk_training_activation {
    switch self {
    case .none: SWK_TRAINING_NONE
    case .relu: SWK_TRAINING_RELU
    case .relu6: SWK_TRAINING_RELU6
    case .hardSwish: SWK_TRAINING_HARD_SWISH
    }
  }
}

extension TrainingBuilder {
  /// Rows of a channels-last tensor, a row being one position of one sample.
  func rows(_ shape: [Int]) -> Int { shape.count < 2 ? 0 : shape[0] * shape[2...].reduce(1, *) }

  /// Whether sums over the batch of a tensor of this shape come from its shards.
  func sumsOverShards(_ shape: [Int]) -> Bool { isSharded(shape) || shards.count == 1 }
}

extension BatchStatisticsNormalization: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard node.inputs.count >= 5, node.outputs.count == 5, let input = node.inputs[0],
      let shape = builder.shape(of: input), shape.count >= 2, shape[1] > 0,
      builder.sumsOverShards(shape), let output = node.outputs[0],
      let source = builder.dense(input, .channelsLast, as: builder.realType),
      let type = builder.realType.kernel
    else { return false }
    let parameters = (1...4).compactMap { index in
      node.inputs[index].flatMap { builder.dense($0, .plain, as: .float32) }
    }
    guard parameters.count == 4 else { return false }
    let addendValue = node.inputs.count > 5 ? node.inputs[5] : nil
    let addend = addendValue.flatMap { builder.dense($0, .channelsLast, as: builder.realType) }
    guard addendValue == nil || addend?.shape == shape else { return false }
    let channels = shape[1]
    let rows = builder.rows(shape)
    let shardCount = builder.shards.count
    let shardRows = rows / shardCount
    let label = builder.label(node, implementation: "swiftlet", precision: builder.realType)

    let partials = builder.allocate(.float64, [builder.shards.count, 2 * channels], .plain)
    let partialStride = partials.shape[1]
    builder.add(
      TrainingTask(
        label: label.with("statistics"), scope: .shards,
        accesses: [
          .reads(source, builder.extent(of: source, in: .shards)), .writes(partials, .own),
        ]
      ) { [shards = builder.shards] memory, shard in
        let x = memory.address(shards.part(shard, of: source))
        let partial = memory.address(partials).assumingMemoryBound(to: Double.self)
        return {
          swk_batchnorm_statistics(type, x, partial + shard * partialStride, channels, 0, shardRows)
        }
      })

    let results = builder.allocateThreadCopies(.float32, [6, channels])
    let vectors = (0..<6).map { results.row($0) }
    let (epsilon, momentum) = (epsilon, momentum)
    builder.add(
      TrainingTask(
        label: label.with("combination"), scope: .everyThread,
        accesses: [.reads(partials, .whole), .writes(results, .own)]
          + parameters.map { .reads($0, builder.extent(of: $0, in: .everyThread)) }
      ) { memory, _ in
        let partial = memory.address(partials).assumingMemoryBound(to: Double.self)
        let given = parameters.map { memory.floats($0) }
        let made = vectors.map { memory.floats($0) }
        let shardsOfRows = [Int](repeating: shardRows, count: shardCount)
        return {
          var arguments = swk_batchnorm(
            channels: channels, epsilon: epsilon, momentum: momentum, scale: given[0],
            bias: given[1], running_mean: given[2], running_variance: given[3], mean: made[0],
            inverse_deviation: made[1], updated_mean: made[2], updated_variance: made[3],
            factor: made[4], offset: made[5])
          shardsOfRows.withUnsafeBufferPointer { rows in
            guard let rows = rows.baseAddress else { return }
            swk_batchnorm_combine(&arguments, partial, rows, shardCount)
          }
        }
      })
    for (index, vector) in vectors.prefix(4).enumerated() {
      builder.setPlacement(vector, of: node.outputs[index + 1])
    }
    if let mean = node.outputs[1] { builder.normalizations[mean] = (vectors[4], vectors[5]) }

    if addend == nil, builder.isReadByOneConvolution(output) {
      builder.postpone(
        PendingNormalization(
          source: source, factor: vectors[4], offset: vectors[5], activation: activation.kernel,
          type: type, label: label), of: output)
      return true
    }
    let target =
      [source, addend].compactMap { $0 }.first { builder.mayOverwrite($0) }
      ?? builder.allocate(builder.realType, shape, .channelsLast)
    let activation = activation.kernel
    builder.add(
      TrainingTask(
        label: label, scope: .shards,
        accesses: builder.accesses(
          reads: [source, vectors[4]] + [addend].compactMap { $0 }, writes: [target], in: .shards)
      ) { [shards = builder.shards] memory, shard in
        let x = memory.address(shards.part(shard, of: source))
        let y = memory.address(shards.part(shard, of: target))
        let other = addend.map { memory.address(shards.part(shard, of: $0)) }
        let factor = memory.floats(vectors[4])
        let offset = memory.floats(vectors[5])
        return {
          swk_batchnorm_apply(
            type, activation, x, factor, offset, other, y, channels, 0, shardRows)
        }
      })
    builder.setPlacement(target, of: output)
    return true
  }
}

extension BatchStatisticsNormalizationGradient: TrainingLowerable {
  /// The tensors of the gradient that have the batch axis.
  private struct Operands {
    var dY: Placement
    var second: Placement?
    var x: Placement
    var y: Placement?

    var all: [Placement] { [dY, second, x, y].compactMap { $0 } }
  }

  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard node.inputs.count == 8, node.outputs.count >= 3, let dYValue = node.inputs[0],
      let xValue = node.inputs[2], let shape = builder.shape(of: xValue), shape.count >= 2,
      shape[1] > 0, builder.sumsOverShards(shape), let type = builder.realType.kernel,
      let scale = node.inputs[4].flatMap({ builder.dense($0, .plain, as: .float32) }),
      let meanValue = node.inputs[6], let mean = builder.dense(meanValue, .plain, as: .float32),
      let inverse = node.inputs[7].flatMap({ builder.dense($0, .plain, as: .float32) })
    else { return false }
    let hasBounds = activation == .relu || activation == .relu6
    let isPostponed = hasBounds && builder.postponed(node.inputs[3]) != nil
    let needsFactors = activation == .hardSwish || isPostponed
    let fused = needsFactors ? builder.normalizations[meanValue] : nil
    let needsY = hasBounds && !isPostponed
    guard !needsFactors || fused != nil, !needsY || node.inputs[3] != nil else { return false }
    func activations(_ value: ValueID?) -> Placement? {
      value.flatMap { builder.dense($0, .channelsLast, as: builder.realType) }
    }
    guard let dY = activations(dYValue), let x = activations(xValue) else { return false }
    var operands = Operands(dY: dY, second: activations(node.inputs[1]), x: x, y: nil)
    guard operands.second != nil || node.inputs[1] == nil else { return false }
    if needsY {
      guard let y = activations(node.inputs[3]) else { return false }
      operands.y = y
    }
    let label = builder.label(node, implementation: "swiftlet", precision: builder.realType)
    let channels = shape[1]
    let addendGradient = node.outputs.count > 3 ? node.outputs[3] : nil
    let ownerless = [operands.dY, operands.second].compactMap { $0 }
      .first { builder.mayOverwrite($0) }
    // The gradient behind the activation is kept where it is a result, or saves reading more than
    // one operand again.
    var stored: Placement?
    if addendGradient != nil {
      stored = ownerless ?? builder.allocate(builder.realType, shape, .channelsLast)
    } else if operands.second != nil || operands.y != nil {
      stored = ownerless
    }
    let partials = builder.allocate(.float64, [builder.shards.count, 2 * channels], .plain)
    addSums(
      builder, operands, type: type, mean: mean, fused: fused, stored: stored,
      partials: partials, label: label.with("sums"))

    let results = builder.allocateThreadCopies(.float32, [5, channels])
    let shardCount = builder.shards.count
    let rows = builder.rows(shape)
    builder.add(
      TrainingTask(
        label: label.with("combination"), scope: .everyThread,
        accesses: [.reads(partials, .whole), .writes(results, .own)]
          + [scale, inverse].map { .reads($0, builder.extent(of: $0, in: .everyThread)) }
      ) { memory, _ in
        let partial = memory.address(partials).assumingMemoryBound(to: Double.self)
        let (scale, inverse) = (memory.floats(scale), memory.floats(inverse))
        let made = memory.floats(results)
        return {
          swk_batchnorm_gradient_combine(
            partial, shardCount, rows, channels, scale, inverse, made, made + channels,
            made + 2 * channels)
        }
      })
    builder.setPlacement(results.row(0), of: node.outputs[1])
    builder.setPlacement(results.row(1), of: node.outputs[2])

    if let output = node.outputs[0] {
      var inner = operands
      var remaining = activation.kernel
      if let stored {
        inner = Operands(dY: stored, second: nil, x: x, y: nil)
        remaining = SWK_TRAINING_NONE
      }
      let reusable = (addendGradient == nil ? [stored] : []) + [operands.dY, operands.second, x]
      let reused =
        builder.isReadByConvolutionGradients(output)
        ? nil
        : reusable.compactMap { $0 }.first {
          builder.mayOverwrite($0) && (addendGradient == nil || $0.buffer != stored?.buffer)
        }
      let target = reused ?? builder.allocate(builder.realType, shape, .channelsLast)
      addApplication(
        builder, inner, type: type, activation: remaining, mean: mean, fused: fused,
        factors: results, target: target, label: label)
      builder.setPlacement(target, of: output)
    }
    if let addendGradient, let stored { builder.setPlacement(stored, of: addendGradient) }
    return true
  }

  private func addSums(
    _ builder: TrainingBuilder, _ operands: Operands, type: swk_type, mean: Placement,
    fused: (factor: Placement, offset: Placement)?, stored: Placement?, partials: Placement,
    label: StepLabel
  ) {
    let shape = operands.x.shape
    let shardRows = builder.rows(shape) / builder.shards.count
    let partialStride = partials.shape[1]
    let activation = activation.kernel
    builder.add(
      TrainingTask(
        label: label, scope: .shards,
        accesses: builder.accesses(
          reads: operands.all + [mean] + (fused.map { [$0.factor] } ?? []),
          writes: [stored].compactMap { $0 }, in: .shards) + [.writes(partials, .own)]
      ) { [shards = builder.shards] memory, shard in
        let arguments = BoundGradient(
          operands.dY, operands.second, operands.x, operands.y, mean: mean, fused: fused,
          memory: memory, shard: shard, of: shards)
        let kept = stored.map { memory.address(shards.part(shard, of: $0)) }
        let partial = memory.address(partials).assumingMemoryBound(to: Double.self)
        return {
          var arguments = arguments.kernel(type, activation, channels: shape[1])
          swk_batchnorm_gradient_sums(
            &arguments, kept, partial + shard * partialStride, 0, shardRows)
        }
      })
  }

  private func addApplication(
    _ builder: TrainingBuilder, _ operands: Operands, type: swk_type,
    activation: swk_training_activation, mean: Placement,
    fused: (factor: Placement, offset: Placement)?, factors: Placement, target: Placement,
    label: StepLabel
  ) {
    let shape = operands.x.shape
    let shardRows = builder.rows(shape) / builder.shards.count
    let channels = shape[1]
    builder.add(
      TrainingTask(
        label: label, scope: .shards,
        accesses: builder.accesses(
          reads: operands.all + [mean, factors] + (fused.map { [$0.factor] } ?? []),
          writes: [target], in: .shards)
      ) { [shards = builder.shards] memory, shard in
        let arguments = BoundGradient(
          operands.dY, operands.second, operands.x, operands.y, mean: mean, fused: fused,
          memory: memory, shard: shard, of: shards)
        let made = memory.address(shards.part(shard, of: target))
        let factors = memory.floats(factors) + 2 * channels
        return {
          var arguments = arguments.kernel(type, activation, channels: channels)
          swk_batchnorm_gradient_apply(&arguments, factors, made, 0, shardRows)
        }
      })
  }
}

/// Addresses of a batch normalization's gradient for one shard.
private struct BoundGradient {
  let dY: UnsafeMutableRawPointer
  let second: UnsafeMutableRawPointer?
  let x: UnsafeMutableRawPointer
  let y: UnsafeMutableRawPointer?
  let mean: UnsafeMutablePointer<Float>
  let factor: UnsafeMutablePointer<Float>?
  let offset: UnsafeMutablePointer<Float>?

  init(
    _ dY: Placement, _ second: Placement?, _ x: Placement, _ y: Placement?, mean: Placement,
    fused: (factor: Placement, offset: Placement)?, memory: TaskMemory, shard: Int,
    of shards: ShardPlan
  ) {
    func address(_ placement: Placement) -> UnsafeMutableRawPointer {
      memory.address(shards.part(shard, of: placement))
    }
    self.dY = address(dY)
    self.second = second.map(address)
    self.x = address(x)
    self.y = y.map(address)
    self.mean = memory.floats(mean)
    factor = fused.map { memory.floats($0.factor) }
    offset = fused.map { memory.floats($0.offset) }
  }

  func kernel(
    _ type: swk_type, _ activation: swk_training_activation, channels: Int
  ) -> swk_batchnorm_gradient {
    swk_batchnorm_gradient(
      type: type, activation: activation, channels: channels, dy: dY, dy2: second, x: x, y: y,
      mean: mean, factor: factor, offset: offset)
  }
}

extension Placement {
  /// Row `index` of a matrix, as a vector.
  func row(_ index: Int) -> Placement {
    var row = sliced(axis: 0, start: index, extent: 1)
    row.shape = [shape[1]]
    row.strides = [strides[1]]
    return row
  }
}

extension StepLabel {
  /// The label of a part of the step.
  func with(_ part: String) -> StepLabel {
    var label = self
    label.kind += " \(part)"
    return label
  }
}
