// SPDX-License-Identifier: Apache-2.0
import CKernels
import GraphIR
import TensorCore

/// Reals in memory that are read as float32, whatever they are stored as.
private struct RowReader: Sendable {
  let isNarrow: Bool

  init?(_ type: ElementType) {
    guard type == .float32 || type == .bfloat16 else { return nil }
    isNarrow = type == .bfloat16
  }

  private var width: Int { isNarrow ? 2 : 4 }

  /// Elements `[start, start + count)`, as they lie or widened into `scratch`.
  func floats(
    _ address: UnsafeMutableRawPointer, from start: Int, count: Int,
    into scratch: UnsafeMutablePointer<Float>
  ) -> UnsafeMutablePointer<Float> {
    let first = address + start * width
    guard isNarrow else { return first.assumingMemoryBound(to: Float.self) }
    swk_bf16_to_f32(first.assumingMemoryBound(to: UInt16.self), scratch, count)
    return scratch
  }

  /// Stores `count` elements of `values` from element `start` on.
  func store(
    _ values: UnsafeMutablePointer<Float>, count: Int, to address: UnsafeMutableRawPointer,
    at start: Int
  ) {
    let first = address + start * width
    if isNarrow {
      swk_f32_to_bf16(values, first.assumingMemoryBound(to: UInt16.self), count)
    } else {
      first.assumingMemoryBound(to: Float.self).update(from: values, count: count)
    }
  }
}

/// Sums in double precision, in an order that depends on the count alone.
private enum RowSums {
  static func sum(_ x: UnsafeMutablePointer<Float>, count: Int) -> Double {
    var lanes = SIMD8<Double>(repeating: 0)
    let whole = count / 8 * 8
    for start in stride(from: 0, to: whole, by: 8) {
      for lane in 0..<8 { lanes[lane] += Double(x[start + lane]) }
    }
    var total = lanes.sum()
    for index in whole..<count { total += Double(x[index]) }
    return total
  }

  static func product(
    _ x: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int
  ) -> Double {
    var lanes = SIMD8<Double>(repeating: 0)
    let whole = count / 8 * 8
    for start in stride(from: 0, to: whole, by: 8) {
      for lane in 0..<8 { lanes[lane] += Double(x[start + lane]) * Double(y[start + lane]) }
    }
    var total = lanes.sum()
    for index in whole..<count { total += Double(x[index]) * Double(y[index]) }
    return total
  }
}

extension RowNormalization: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) -> Bool {
    guard let input = node.inputs[0], let output = node.outputs[0],
      let shape = builder.shape(of: input), !shape.contains(0),
      builder.type(of: output)?.elementType == .float32, let type = builder.workingType([input]),
      let reader = RowReader(type),
      let source = builder.dense(input, builder.layout(of: input), as: type)
    else { return false }
    let target = builder.allocate(.float32, shape, builder.layout(of: input))
    let width = shape.dropFirst().reduce(1, *)
    let least = Double(epsilon)
    builder.addSharded(
      builder.label(node, implementation: "swiftlet", precision: type), reads: [source],
      writes: [target], alike: shape
    ) { memory, part in
      let rows = part(source).shape[0]
      let from = memory.address(part(source))
      let to = memory.floats(part(target))
      return {
        for row in 0..<rows {
          let made = to + row * width
          let x = reader.floats(from, from: row * width, count: width, into: made)
          let factor = Float(1 / max(swk_sum_squares(x, width).squareRoot(), least))
          for index in 0..<width { made[index] = x[index] * factor }
        }
      }
    }
    builder.setPlacement(target, of: output)
    return true
  }
}

extension RowNormalizationGradient: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) -> Bool {
    guard let gradient = node.inputs[0], let input = node.inputs[1], let output = node.outputs[0],
      let shape = builder.shape(of: input), !shape.contains(0),
      builder.shape(of: gradient) == shape,
      builder.type(of: output)?.elementType == .float32,
      let type = builder.workingType([input]), let reader = RowReader(type),
      let gradientType = builder.workingType([gradient]),
      let gradientReader = RowReader(gradientType)
    else { return false }
    let layout = builder.layout(of: input)
    guard let x = builder.dense(input, layout, as: type),
      let dY = builder.dense(gradient, layout, as: gradientType)
    else { return false }
    let width = shape.dropFirst().reduce(1, *)
    let target = builder.allocate(type, shape, layout)
    let scratch = builder.allocateThreadCopies(.float32, [2, width])
    let least = Double(epsilon)
    builder.addSharded(
      builder.label(node, implementation: "swiftlet", precision: type), reads: [x, dY],
      writes: [target, scratch], alike: shape
    ) { memory, part in
      let rows = part(x).shape[0]
      let (from, with) = (memory.address(part(x)), memory.address(part(dY)))
      let to = memory.address(part(target))
      let scratch = memory.floats(scratch)
      return {
        for row in 0..<rows {
          let x = reader.floats(from, from: row * width, count: width, into: scratch)
          let dY = gradientReader.floats(
            with, from: row * width, count: width, into: scratch + width)
          let squares = swk_sum_squares(x, width)
          let length = squares.squareRoot()
          let share =
            length > least ? Float(RowSums.product(x, dY, count: width) / squares) : 0
          let factor = Float(1 / max(length, least))
          let made = scratch
          for index in 0..<width { made[index] = (dY[index] - share * x[index]) * factor }
          reader.store(made, count: width, to: to, at: row * width)
        }
      }
    }
    builder.setPlacement(target, of: output)
    return true
  }
}

extension Reduce: TrainingLowerable {
  /// Sums over everything: one partial result per shard.
  func lower(_ node: Node, into builder: TrainingBuilder) -> Bool {
    let isWhole = (node.inputs.count < 2 || node.inputs[1] == nil) && !emptyAxesMeanNone
    guard isWhole, function == .sum || function == .mean || function == .sumOfSquares,
      let input = node.inputs[0], let output = node.outputs[0],
      let shape = builder.shape(of: input), shape.count >= 2, !shape.contains(0),
      let result = builder.type(of: output), result.elementType == .float32,
      builder.sumsOverShards(shape), let type = builder.workingType([input]),
      let reader = RowReader(type),
      let source = builder.dense(input, builder.layout(of: input), as: type)
    else { return false }
    let squares = function == .sumOfSquares
    let partials = builder.allocatePartials(.float64, 1)
    let stride = partials.shape[1]
    let shardCount = builder.shards.count
    let block = 4096
    let scratch = builder.allocateThreadCopies(.float32, [block])
    let label = builder.label(node, implementation: "swiftlet", precision: type)
    let count = source.count / shardCount
    builder.add(
      TrainingTask(
        label: label, scope: .shards,
        accesses: [
          .reads(source, builder.extent(of: source, in: .shards)), .writes(partials, .own),
          .writes(scratch, .own),
        ]
      ) { [shards = builder.shards] memory, shard in
        let from = memory.address(shards.part(shard, of: source))
        let partial = memory.address(partials).assumingMemoryBound(to: Double.self)
        let scratch = memory.floats(scratch)
        return {
          var total = 0.0
          for start in Swift.stride(from: 0, to: count, by: block) {
            let length = min(block, count - start)
            let x = reader.floats(from, from: start, count: length, into: scratch)
            total += squares ? swk_sum_squares(x, length) : RowSums.sum(x, count: length)
          }
          partial[shard * stride] = total
        }
      })
    let target = builder.allocate(.float32, result.shape, .plain)
    let share = function == .mean ? 1 / Double(source.count) : 1
    builder.add(
      TrainingTask(
        label: label.with("sum"), scope: .single(builder.nextChain()),
        accesses: [.reads(partials, .whole), .writes(target, .whole)], floats: true
      ) { memory, _ in
        let partial = memory.address(partials).assumingMemoryBound(to: Double.self)
        let to = memory.floats(target)
        return {
          var total = 0.0
          for shard in 0..<shardCount { total += partial[shard * stride] }
          to.pointee = Float(total * share)
        }
      })
    builder.setPlacement(target, of: output)
    return true
  }
}
