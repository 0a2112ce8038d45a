// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension TrainingBuilder {
  /// The interval of a node as tasks read it.
  fileprivate func interval(
    _ inputs: ArraySlice<ValueID?>
  ) -> (placements: [Placement], read: @Sendable (TaskMemory) -> () -> IntervalQuantize.Interval)? {
    var numbers: [Placement] = []
    for input in inputs {
      guard let input, let number = dense(input, .plain, as: .float32), number.count == 1 else {
        return nil
      }
      numbers.append(number)
    }
    let given = numbers
    return (
      given,
      { memory in
        let pointers = given.map { memory.floats($0) }
        return {
          IntervalQuantize.Interval(
            centre: pointers[0].pointee, halfWidth: pointers[1].pointee,
            exponent: pointers.count > 2 ? pointers[2].pointee : 1)
        }
      }
    )
  }
}

/// Calls `body` with each element of a float32 or bfloat16 tensor.
@inline(__always)
private func forEach(
  _ memory: UnsafeMutableRawPointer, _ type: ElementType, _ count: Int, _ body: (Int, Float) -> Void
) {
  if type == .bfloat16 {
    let values = memory.assumingMemoryBound(to: UInt16.self)
    for index in 0..<count { body(index, Half.float(bfloat16: values[index])) }
  } else {
    let values = memory.assumingMemoryBound(to: Float.self)
    for index in 0..<count { body(index, values[index]) }
  }
}

@inline(__always)
private func store(
  _ value: Float, at index: Int, of memory: UnsafeMutableRawPointer, _ type: ElementType
) {
  if type == .bfloat16 {
    memory.assumingMemoryBound(to: UInt16.self)[index] = Half.bfloat16(value)
  } else {
    memory.assumingMemoryBound(to: Float.self)[index] = value
  }
}

@inline(__always)
private func load(
  _ index: Int, of memory: UnsafeMutableRawPointer, _ type: ElementType
) -> Float {
  type == .bfloat16
    ? Half.float(bfloat16: memory.assumingMemoryBound(to: UInt16.self)[index])
    : memory.assumingMemoryBound(to: Float.self)[index]
}

extension IntervalQuantize: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let x = node.inputs[0], let output = node.outputs[0],
      let shape = builder.shape(of: x), let type = builder.workingType([x]),
      let interval = builder.interval(node.inputs[1...])
    else { return false }
    let isSharded = builder.isSharded(shape)
    let layout = isSharded ? builder.layout(of: x) : .plain
    guard let source = builder.dense(x, layout, as: type) else { return false }
    let target = builder.mayOverwrite(source) ? source : builder.allocate(type, shape, layout)
    let op = self
    builder.addSharded(
      builder.label(node, implementation: "swiftlet", precision: type),
      reads: [source] + interval.placements, writes: [target], alike: shape, floats: !isSharded
    ) { memory, part in
      let (from, to) = (memory.address(part(source)), memory.address(part(target)))
      let count = part(source).count
      let read = interval.read(memory)
      return {
        let (interval, levels) = (read(), Float(op.levels))
        forEach(from, type, count) { index, x in
          store(op.code(of: x, interval) / levels, at: index, of: to, type)
        }
      }
    }
    builder.setPlacement(target, of: output)
    return true
  }
}

extension IntervalQuantizeGradient: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let dY = node.inputs[0], let x = node.inputs[1], let dX = node.outputs[0],
      let shape = builder.shape(of: x), builder.shape(of: dY) == shape,
      let type = builder.workingType([dY, x]), let interval = builder.interval(node.inputs[2...])
    else { return false }
    let isSharded = builder.isSharded(shape)
    let layout = isSharded ? builder.layout(of: x) : .plain
    guard let gradient = builder.dense(dY, layout, as: type),
      let source = builder.dense(x, layout, as: type)
    else { return false }
    let target = builder.mayOverwrite(gradient) ? gradient : builder.allocate(type, shape, layout)
    let partials =
      isSharded
      ? builder.allocatePartials(.float64, 3) : builder.allocate(.float64, [1, 3], .plain)
    let stride = partials.shape[1]
    let scope = builder.scope(of: shape)
    let shards = builder.shards
    let op = quantization
    var accesses = builder.accesses(
      reads: [gradient, source] + interval.placements, writes: [target], in: scope)
    accesses.append(.writes(partials, isSharded ? .own : .whole))
    builder.add(
      TrainingTask(
        label: builder.label(node, implementation: "swiftlet", precision: type), scope: scope,
        accesses: accesses, floats: !isSharded
      ) { memory, index in
        func part(_ placement: Placement) -> Placement {
          isSharded ? shards.part(index, of: placement) : placement
        }
        let dY = memory.address(part(gradient))
        let x = memory.address(part(source))
        let dX = memory.address(part(target))
        let count = part(source).count
        let sums =
          memory.address(partials).assumingMemoryBound(to: Double.self)
          + (isSharded ? index * stride : 0)
        let read = interval.read(memory)
        return {
          let interval = read()
          var totals = (0.0, 0.0, 0.0)
          forEach(x, type, count) { index, value in
            let d = load(index, of: dY, type)
            let slopes = op.slopes(of: value, interval)
            totals.0 += Double(d * slopes.centre)
            totals.1 += Double(d * slopes.halfWidth)
            totals.2 += Double(d * slopes.exponent)
            store(d * slopes.x, at: index, of: dX, type)
          }
          (sums[0], sums[1], sums[2]) = totals
        }
      })
    builder.setPlacement(target, of: dX)
    let parts = isSharded ? shards.count : 1
    let scale = Double(op.gradientScale)
    for (place, output) in node.outputs.dropFirst().enumerated() {
      guard let output, let shape = builder.shape(of: output) else { continue }
      let target = builder.allocate(.float32, shape, .plain)
      let sumScope = TrainingTask.Scope.single(builder.nextChain())
      builder.add(
        TrainingTask(
          label: builder.label("SumOfShards", .float32), scope: sumScope,
          accesses: [.reads(partials, .whole), .writes(target, .own)], floats: true
        ) { memory, _ in
          let from = memory.address(partials).assumingMemoryBound(to: Double.self)
          let to = memory.floats(target)
          return {
            var sum = 0.0
            for part in 0..<parts { sum += from[part * stride + place] }
            to.pointee = Float(sum * scale)
          }
        })
      builder.owners[output] = sumScope
      builder.setPlacement(target, of: output)
    }
    return true
  }
}
