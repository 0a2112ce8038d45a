// SPDX-License-Identifier: Apache-2.0
import CKernels
import GraphIR
import TensorCore

/// An adder convolution of a training step; always in `f32`.
private struct TrainingAdder {
  let input: [Int]
  let weight: [Int]
  let kernel: swk_adder

  init?(_ convolution: AdderConv, input: [Int], weight: [Int]) {
    guard !weight.contains(0), let kernel = swk_adder(convolution, input: input, weight: weight)
    else { return nil }
    self.input = input
    self.weight = weight
    self.kernel = kernel
  }

  var output: [Int] { kernel.outputShape(batch: input[0]) }

  /// The weights as the kernels take them, made once per step.
  func packed(_ plain: Placement, isForward: Bool, _ builder: TrainingBuilder) -> Placement {
    // The first extent is none of a batch, so that the weights are nobody's share.
    let target = builder.allocate(.float32, [1, weight.reduce(1, *)], .plain)
    let kernel = kernel
    let scope = TrainingTask.Scope.single(builder.nextChain())
    builder.add(
      TrainingTask(
        label: builder.label("Weights", .float32), scope: scope,
        accesses: builder.accesses(reads: [plain], writes: [target], in: scope), floats: true
      ) { memory, _ in
        let from = memory.floats(plain)
        let to = memory.floats(target)
        return {
          var kernel = kernel
          swk_adder_pack(&kernel, from, isForward ? to : nil, isForward ? nil : to)
        }
      })
    return target
  }
}

extension AdderConv: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let input = node.inputs[0], let weight = node.inputs[1], let output = node.outputs[0],
      let shape = builder.shape(of: input), let weightShape = builder.shape(of: weight),
      let adder = TrainingAdder(self, input: shape, weight: weightShape),
      let source = builder.dense(input, .channelsLast, as: .float32),
      let plain = builder.dense(weight, .plain, as: .float32)
    else { return false }
    let packed = adder.packed(plain, isForward: true, builder)
    let target = builder.allocate(.float32, adder.output, .channelsLast)
    let kernel = adder.kernel
    builder.addSharded(
      builder.label(node, implementation: "swiftlet", precision: .float32),
      reads: [source, packed], writes: [target], alike: shape
    ) { memory, part in
      let rows = part(target).shape[0] * kernel.output_height
      let (x, y) = (memory.floats(part(source)), memory.floats(part(target)))
      let weights = memory.floats(packed)
      return {
        var kernel = kernel
        swk_adder_conv(&kernel, x, weights, y, 0, rows)
      }
    }
    builder.setPlacement(target, of: output)
    return true
  }
}

extension AdderConvInputGradient: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let gradient = node.inputs[0], let input = node.inputs[1], let weight = node.inputs[2],
      let output = node.outputs[0], let shape = builder.shape(of: input),
      let weightShape = builder.shape(of: weight),
      let adder = TrainingAdder(convolution, input: shape, weight: weightShape),
      builder.shape(of: gradient) == adder.output,
      let dY = builder.dense(gradient, .channelsLast, as: .float32),
      let source = builder.dense(input, .channelsLast, as: .float32),
      let plain = builder.dense(weight, .plain, as: .float32)
    else { return false }
    let packed = adder.packed(plain, isForward: false, builder)
    let target = builder.allocate(.float32, shape, .channelsLast)
    let kernel = adder.kernel
    builder.addSharded(
      builder.label(node, implementation: "swiftlet", precision: .float32),
      reads: [dY, source, packed], writes: [target], alike: shape
    ) { memory, part in
      let rows = part(target).shape[0] * kernel.height
      let (dY, x) = (memory.floats(part(dY)), memory.floats(part(source)))
      let (dX, weights) = (memory.floats(part(target)), memory.floats(packed))
      return {
        var kernel = kernel
        swk_adder_input_gradient(&kernel, dY, x, weights, dX, 0, rows)
      }
    }
    builder.setPlacement(target, of: output)
    return true
  }
}

extension AdderConvWeightGradient: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let gradient = node.inputs[0], let input = node.inputs[1], let weight = node.inputs[2],
      let output = node.outputs[0], let shape = builder.shape(of: input),
      let weightShape = builder.shape(of: weight), builder.sumsOverShards(shape),
      let adder = TrainingAdder(convolution, input: shape, weight: weightShape),
      builder.shape(of: gradient) == adder.output,
      let dY = builder.dense(gradient, .channelsLast, as: .float32),
      let source = builder.dense(input, .channelsLast, as: .float32),
      let plain = builder.dense(weight, .plain, as: .float32)
    else { return false }
    let kernel = adder.kernel
    let outputs = kernel.outputs
    let count = weightShape.reduce(1, *)
    let sums = builder.allocatePartials(.float32, count)
    let biases = builder.allocatePartials(.float64, outputs)
    let (sumStride, biasStride) = (sums.shape[1], biases.shape[1])
    let shardCount = builder.shards.count
    let label = builder.label(node, implementation: "swiftlet", precision: .float32)
    builder.add(
      TrainingTask(
        label: label, scope: .shards,
        accesses: builder.accesses(reads: [dY, source], writes: [], in: .shards)
          + [.writes(sums, .own), .writes(biases, .own)]
      ) { [shards = builder.shards] memory, shard in
        let images = shards.part(shard, of: source).shape[0]
        let rows = images * kernel.output_height * kernel.output_width
        let gradient = memory.floats(shards.part(shard, of: dY))
        let x = memory.floats(shards.part(shard, of: source))
        let sum = memory.floats(sums) + shard * sumStride
        let bias =
          memory.address(biases).assumingMemoryBound(to: Double.self) + shard * biasStride
        return {
          var kernel = kernel
          swk_adder_weight_sums(&kernel, gradient, x, sum, 0, images)
          swk_channel_sum(SWK_F32, gradient, bias, outputs, 0, rows)
        }
      })
    let target = builder.allocate(.float32, weightShape, .plain)
    let totals = builder.allocate(.float32, [1, outputs], .plain)
    let scope = TrainingTask.Scope.single(builder.nextChain())
    let rate = adaptiveRate ?? 0
    builder.add(
      TrainingTask(
        label: label.with("sum"), scope: scope,
        accesses: builder.accesses(
          reads: [sums, biases, plain], writes: [sums, totals], in: scope)
          + [.writes(target, .own)], floats: true
      ) { memory, _ in
        let (sums, totals) = (memory.floats(sums), memory.floats(totals))
        let biases = memory.address(biases).assumingMemoryBound(to: Double.self)
        let (weights, made) = (memory.floats(plain), memory.floats(target))
        return {
          var kernel = kernel
          swk_sum_partials(sums, shardCount, sumStride, sums, 0, count)
          swk_sum_partials_f64(biases, shardCount, biasStride, totals, 0, outputs)
          swk_adder_weight_gradient(&kernel, sums, totals, weights, rate, made)
        }
      })
    builder.owners[output] = scope
    builder.setPlacement(target, of: output)
    return true
  }
}
