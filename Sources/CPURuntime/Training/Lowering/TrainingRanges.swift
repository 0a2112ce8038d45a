// SPDX-License-Identifier: Apache-2.0
import CKernels
import GraphIR
import TensorCore

extension MagnitudeStep: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let x = node.inputs[0], let output = node.outputs[0],
      let shape = builder.shape(of: x), let result = builder.shape(of: output),
      !builder.isSharded(shape), axis == nil || axis == 0, !shape.contains(0),
      let source = builder.dense(x, .plain, as: .float32)
    else { return false }
    let target = builder.allocate(.float32, result, .plain)
    let channels = axis == nil ? 1 : shape[0]
    let inner = shape.reduce(1, *) / channels
    let scope = TrainingTask.Scope.single(builder.nextChain())
    let op = self
    builder.add(
      TrainingTask(
        label: builder.label(node, implementation: "swiftlet", precision: .float32), scope: scope,
        accesses: builder.accesses(reads: [source], writes: [target], in: scope), floats: true
      ) { memory, _ in
        let from = memory.floats(source)
        let to = memory.floats(target)
        return {
          for channel in 0..<channels {
            var range: (Float, Float) = (0, 0)
            withUnsafeMutablePointer(to: &range) { pointer in
              pointer.withMemoryRebound(to: Float.self, capacity: 2) {
                swk_minimum_maximum(
                  SWK_F32, from, $0, channel * inner, (channel + 1) * inner)
              }
            }
            to[channel] = op.step(of: max(-range.0, range.1))
          }
        }
      })
    builder.setPlacement(target, of: output)
    return true
  }
}

extension RangeAverage: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let x = node.inputs[0], let range = node.inputs[1], let output = node.outputs[0],
      let shape = builder.shape(of: x), builder.isSharded(shape) || builder.shards.count == 1,
      let type = builder.workingType([x]), let kind = type.kernel,
      let source = builder.dense(x, builder.layout(of: x), as: type),
      let present = builder.dense(range, .plain, as: .float32)
    else { return false }
    let isSharded = builder.isSharded(shape)
    let partials = builder.allocatePartials(.float32, 2)
    let stride = partials.shape[1]
    let scope = builder.scope(of: shape)
    let shards = builder.shards
    builder.add(
      TrainingTask(
        label: builder.label(node, implementation: "swiftlet", precision: type), scope: scope,
        accesses: [
          .reads(source, builder.extent(of: source, in: scope)),
          .writes(partials, isSharded ? .own : .whole),
        ]
      ) { memory, part in
        let piece = isSharded ? shards.part(part, of: source) : source
        let from = memory.address(piece)
        let to = memory.floats(partials) + (isSharded ? part * stride : 0)
        return {
          to[0] = .infinity
          to[1] = -.infinity
          swk_minimum_maximum(kind, from, to, 0, piece.count)
        }
      })
    let target = builder.allocate(.float32, [2], .plain)
    let sumScope = TrainingTask.Scope.single(builder.nextChain())
    let op = self
    let parts = isSharded ? shards.count : 1
    builder.add(
      TrainingTask(
        label: builder.label("RangeOfShards", .float32), scope: sumScope,
        accesses: [.reads(partials, .whole), .reads(present, .whole), .writes(target, .whole)],
        floats: true
      ) { memory, _ in
        let from = memory.floats(partials)
        let range = memory.floats(present)
        let to = memory.floats(target)
        return {
          var extremes: [Float] = [.infinity, -.infinity]
          for part in 0..<parts {
            extremes[0] = min(extremes[0], from[part * stride])
            extremes[1] = max(extremes[1], from[part * stride + 1])
          }
          let new = op.averaged([range[0], range[1]], with: extremes)
          (to[0], to[1]) = (new[0], new[1])
        }
      })
    builder.setPlacement(target, of: output)
    return true
  }
}

extension RangeGrid: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let range = node.inputs[0], let source = builder.dense(range, .plain, as: .float32)
    else { return false }
    let targets = node.outputs.map { _ in builder.allocate(.float32, [], .plain) }
    let scope = TrainingTask.Scope.single(builder.nextChain())
    let op = self
    builder.add(
      TrainingTask(
        label: builder.label(node, implementation: "swiftlet", precision: .float32), scope: scope,
        accesses: builder.accesses(reads: [source], writes: targets, in: scope), floats: true
      ) { memory, _ in
        let from = memory.floats(source)
        let to = targets.map { memory.floats($0) }
        return {
          let (step, zeroPoint) = op.grid(from: from[0], to: from[1])
          for (place, number) in [step, -step * zeroPoint].prefix(to.count).enumerated() {
            to[place].pointee = number
          }
        }
      })
    for (target, output) in zip(targets, node.outputs) { builder.setPlacement(target, of: output) }
    return true
  }
}

extension LogarithmicQuantize: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let x = node.inputs[0], let output = node.outputs[0],
      let shape = builder.shape(of: x), let type = builder.workingType([x]),
      let kind = type.kernel
    else { return false }
    let isSharded = builder.isSharded(shape)
    let layout = isSharded ? builder.layout(of: x) : .plain
    guard let source = builder.dense(x, layout, as: type) else { return false }
    let target = builder.mayOverwrite(source) ? source : builder.allocate(type, shape, layout)
    let arguments = swk_log_quantize_args(
      type: kind, halves: countsHalves ? 1 : 0, least: Int32(leastExponent),
      greatest: Int32(greatestExponent))
    builder.addSharded(
      builder.label(node, implementation: "swiftlet", precision: type), reads: [source],
      writes: [target], alike: shape, floats: !isSharded
    ) { memory, part in
      let (from, to) = (memory.address(part(source)), memory.address(part(target)))
      let count = part(source).count
      return {
        var arguments = arguments
        swk_log_quantize(&arguments, from, to, 0, count)
      }
    }
    builder.setPlacement(target, of: output)
    return true
  }
}
