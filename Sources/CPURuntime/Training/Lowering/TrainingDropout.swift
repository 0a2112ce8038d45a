// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension RandomDropout: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let input = node.inputs[0], let step = node.inputs[1], let output = node.outputs[0],
      let type = builder.workingType([input]), let shape = builder.shape(of: input),
      !shape.isEmpty, !shape.contains(0),
      let source = builder.dense(input, .channelsLast, as: type),
      let counter = builder.dense(step, .plain), counter.elementType == .int64
    else { return false }
    let target =
      builder.mayOverwrite(source) ? source : builder.allocate(type, shape, .channelsLast)
    let channels = shape.count < 3 ? 1 : shape[1]
    let pixels = shape.count < 3 ? shape[1...].reduce(1, *) : shape[2...].reduce(1, *)
    let sampleBytes = source.byteCount / shape[0]
    let (stream, ratio) = (stream, ratio)
    builder.addSharded(
      builder.label(node, implementation: "swiftlet", precision: type), reads: [source, counter],
      writes: [target], alike: shape
    ) { memory, part in
      let first = (part(source).offset - source.offset) / max(sampleBytes, 1)
      let samples = part(source).shape[0]
      let from = memory.address(part(source))
      let to = memory.address(part(target))
      let counter = memory.address(counter).assumingMemoryBound(to: Int64.self)
      return {
        let mask = DropoutMask(
          random: CounterRandom(stream: stream, step: counter.pointee), ratio: ratio,
          channels: channels, pixels: pixels)
        if type == .bfloat16 {
          let (x, y) = (
            from.assumingMemoryBound(to: UInt16.self), to.assumingMemoryBound(to: UInt16.self)
          )
          mask.forEach(first: first, samples: samples) { index, isKept in
            y[index] =
              isKept ? Half.bfloat16(Half.float(bfloat16: x[index]) * mask.factor) : 0
          }
        } else {
          let (x, y) = (
            from.assumingMemoryBound(to: Float.self), to.assumingMemoryBound(to: Float.self)
          )
          mask.forEach(first: first, samples: samples) { index, isKept in
            y[index] = isKept ? x[index] * mask.factor : 0
          }
        }
      }
    }
    builder.setPlacement(target, of: output)
    return true
  }
}

/// Which elements of samples in channels-last order a dropout keeps.
private struct DropoutMask {
  let random: CounterRandom
  let ratio: Float
  let channels: Int
  let pixels: Int

  var factor: Float { 1 / (1 - ratio) }

  /// Calls `body` with the place in memory of each element, from the first of the samples on.
  @inline(__always)
  func forEach(first: Int, samples: Int, _ body: (_ index: Int, _ isKept: Bool) -> Void) {
    var index = 0
    for sample in first..<(first + samples) {
      for pixel in 0..<pixels {
        for channel in 0..<channels {
          let number = (sample * channels + channel) * pixels + pixel
          body(index, random.uniform(at: number) >= ratio)
          index += 1
        }
      }
    }
  }
}
