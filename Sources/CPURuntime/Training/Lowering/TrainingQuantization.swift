// SPDX-License-Identifier: Apache-2.0
import CKernels
import GraphIR
import TensorCore

extension FakeQuantize {
  /// The kernel's arguments, step and offset left out.
  fileprivate func arguments(_ type: swk_type) -> swk_fake_quantize_args {
    let gradient: swk_step_gradient
    switch stepGradient {
    case .none: gradient = SWK_STEP_NONE
    case .learned: gradient = SWK_STEP_LEARNED
    case .clipping: gradient = SWK_STEP_CLIPPING
    }
    return swk_fake_quantize_args(
      type: type, step_gradient: gradient, includes_ends: includesEnds ? 1 : 0,
      low: Float(codes.lowerBound), high: Float(codes.upperBound), step: 1, offset: 0)
  }
}

/// Where the numbers of a quantization lie.
private struct QuantizationOperands {
  let step: Placement
  let offset: Placement?
  /// Steps, and elements that share one.
  let channels: Int
  let inner: Int

  /// `nil` if the axis of the steps is not the outermost one.
  init?(
    _ op: FakeQuantize, x shape: [Int], step: ValueID?, offset: ValueID?,
    in builder: TrainingBuilder
  ) {
    guard let step, let steps = builder.dense(step, .plain, as: .float32),
      op.axis == nil || op.axis == 0, !shape.isEmpty, !shape.contains(0)
    else { return nil }
    self.step = steps
    if let offset {
      guard let offsets = builder.dense(offset, .plain, as: .float32) else { return nil }
      self.offset = offsets
    } else {
      self.offset = nil
    }
    channels = op.axis == nil ? 1 : shape[0]
    inner = shape.reduce(1, *) / channels
  }

  var placements: [Placement] { [step] + (offset.map { [$0] } ?? []) }

  /// Calls `body` with the arguments and elements of each channel.
  ///
  /// - Parameter count: Elements in all where there is one step.
  func forEach(
    _ arguments: swk_fake_quantize_args, _ memory: TaskMemory, count: Int
  ) -> (_ body: (inout swk_fake_quantize_args, Int, Range<Int>) -> Void) -> Void {
    let steps = memory.floats(step)
    let offsets = offset.map { memory.floats($0) }
    let (channels, inner) = (channels, channels == 1 ? count : inner)
    return { body in
      var arguments = arguments
      for channel in 0..<channels {
        arguments.step = FakeQuantize.usableStep(steps[channel])
        arguments.offset = offsets?[channel] ?? 0
        body(&arguments, channel, channel * inner..<(channel + 1) * inner)
      }
    }
  }
}

extension FakeQuantize: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let x = node.inputs[0], let output = node.outputs[0],
      let shape = builder.shape(of: x), let type = builder.workingType([x]),
      let kind = type.kernel,
      let operands = QuantizationOperands(
        self, x: shape, step: node.inputs[1],
        offset: node.inputs.count > 2 ? node.inputs[2] : nil, in: builder)
    else { return false }
    let isSharded = builder.isSharded(shape)
    // Steps per channel are for weights, which lie in row-major order.
    guard axis == nil || !isSharded else { return false }
    let layout = isSharded ? builder.layout(of: x) : .plain
    guard let source = builder.dense(x, layout, as: type) else { return false }
    let target = builder.mayOverwrite(source) ? source : builder.allocate(type, shape, layout)
    let arguments = arguments(kind)
    builder.addSharded(
      builder.label(node, implementation: "swiftlet", precision: type),
      reads: [source] + operands.placements, writes: [target], alike: shape, floats: !isSharded
    ) { memory, part in
      let from = memory.address(part(source))
      let to = memory.address(part(target))
      let forEach = operands.forEach(arguments, memory, count: part(source).count)
      return {
        forEach { arguments, _, range in
          swk_fake_quantize(&arguments, from, to, range.lowerBound, range.upperBound)
        }
      }
    }
    builder.setPlacement(target, of: output)
    return true
  }
}

extension FakeQuantizeGradient: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let dY = node.inputs[0], let x = node.inputs[1], let dX = node.outputs[0],
      let shape = builder.shape(of: x), builder.shape(of: dY) == shape,
      let type = builder.workingType([dY, x]), let kind = type.kernel,
      let operands = QuantizationOperands(
        quantization, x: shape, step: node.inputs[2],
        offset: node.inputs.count > 3 ? node.inputs[3] : nil, in: builder)
    else { return false }
    let isSharded = builder.isSharded(shape)
    guard quantization.axis == nil || !isSharded else { return false }
    let layout = isSharded ? builder.layout(of: x) : .plain
    guard let gradient = builder.dense(dY, layout, as: type),
      let source = builder.dense(x, layout, as: type)
    else { return false }
    let target =
      builder.mayOverwrite(gradient) ? gradient : builder.allocate(type, shape, layout)
    let label = builder.label(node, implementation: "swiftlet", precision: type)
    let partials =
      isSharded
      ? builder.allocatePartials(.float64, 2)
      : builder.allocate(.float64, [operands.channels, 2], .plain)
    let stride = isSharded ? partials.shape[1] : 2
    let scope = isSharded ? TrainingTask.Scope.shards : gradientScope(of: dY, in: builder)
    let arguments = quantization.arguments(kind)
    let shards = builder.shards
    var accesses = builder.accesses(
      reads: [gradient, source] + operands.placements, writes: [target], in: scope)
    accesses.append(.writes(partials, .own))
    if !isSharded {
      accesses = accesses.map { access in
        // What the same chain has computed, or goes on with, needs no meeting of threads.
        var access = access
        if access.buffer == gradient.buffer || access.buffer == target.buffer {
          access.extent = .own
        }
        return access
      }
    }
    builder.add(
      TrainingTask(label: label, scope: scope, accesses: accesses, floats: !isSharded) {
        memory, index in
        func part(_ placement: Placement) -> Placement {
          isSharded ? shards.part(index, of: placement) : placement
        }
        let dY = memory.address(part(gradient))
        let x = memory.address(part(source))
        let dX = memory.address(part(target))
        let sums =
          memory.address(partials).assumingMemoryBound(to: Double.self)
          + (isSharded ? index * stride : 0)
        let forEach = operands.forEach(arguments, memory, count: part(source).count)
        return {
          forEach { arguments, channel, range in
            swk_fake_quantize_gradient(
              &arguments, dY, x, dX, sums + channel * 2, range.lowerBound, range.upperBound)
          }
        }
      })
    builder.setPlacement(target, of: dX)
    if !isSharded { builder.owners[dX] = scope }
    addSums(of: partials, stride: stride, operands, node, scope, into: builder)
    return true
  }

  /// The thread that has computed a weight's gradient, or any one.
  private func gradientScope(
    of gradient: ValueID, in builder: TrainingBuilder
  ) -> TrainingTask.Scope {
    if case .single(let chain) = builder.owners[gradient] { return .single(chain) }
    return .single(builder.nextChain())
  }

  /// Adds partial sums, in shard order, to the gradients of step and offset.
  private func addSums(
    of partials: Placement, stride: Int, _ operands: QuantizationOperands, _ node: Node,
    _ scope: TrainingTask.Scope, into builder: TrainingBuilder
  ) {
    let scale = Double(quantization.gradientScale)
    let isSharded = scope == .shards
    let sumScope = isSharded ? TrainingTask.Scope.single(builder.nextChain()) : scope
    let parts = isSharded ? builder.shards.count : 1
    for (place, output) in node.outputs.dropFirst().enumerated() {
      guard let output, let shape = builder.shape(of: output) else { continue }
      let target = builder.allocate(.float32, shape, .plain)
      let channels = operands.channels
      builder.add(
        TrainingTask(
          label: builder.label("SumOfShards", .float32), scope: sumScope,
          accesses: [.reads(partials, isSharded ? .whole : .own), .writes(target, .own)],
          floats: true
        ) { memory, _ in
          let from = memory.address(partials).assumingMemoryBound(to: Double.self)
          let to = memory.floats(target)
          return {
            for channel in 0..<channels {
              var sum = 0.0
              for part in 0..<parts { sum += from[part * stride + channel * 2 + place] }
              to[channel] = Float(sum * scale)
            }
          }
        })
      builder.owners[output] = sumScope
      builder.setPlacement(target, of: output)
    }
  }
}
