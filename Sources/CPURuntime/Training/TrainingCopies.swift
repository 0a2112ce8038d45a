// SPDX-License-Identifier: Apache-2.0
import CKernels
import GraphIR
import TensorCore

extension TrainingBuilder {
  /// A dense copy of a tensor in another layout or type; `nil` where no conversion is known.
  func copied(_ source: Placement, _ layout: Layout, as type: ElementType) -> Placement? {
    if source.elementType == .float32, source.shape.count >= 3, layout == .channelsLast,
      source.isDense(.plain), let to = type.kernel
    {
      let target = allocate(type, source.shape, layout)
      addChannelsLast(from: source, to: target, swk_format(type: to, scale: 1, zero_point: 0))
      return target
    }
    if source.elementType == type {
      let target = allocate(type, source.shape, layout)
      addCopy(from: source, to: target)
      return target
    }
    guard let from = source.elementType.kernel, let to = type.kernel else { return nil }
    let needsCopy = isInput(source) || !source.isDense(layout)
    let dense = needsCopy ? allocate(source.elementType, source.shape, layout) : source
    if needsCopy { addCopy(from: source, to: dense) }
    let target = allocate(type, source.shape, layout)
    addSharded(
      label("Convert", type), reads: [dense], writes: [target], alike: source.shape,
      floats: comesEarly(source)
    ) { memory, part in
      let input = memory.address(part(dense))
      let output = memory.address(part(target))
      let count = part(dense).count
      return {
        var from = swk_format(type: from, scale: 1, zero_point: 0)
        var to = swk_format(type: to, scale: 1, zero_point: 0)
        swk_convert(&from, input, &to, output, count)
      }
    }
    return target
  }

  /// Whether a tensor is there before the step's own work begins.
  private func comesEarly(_ placement: Placement) -> Bool {
    switch buffers[placement.buffer].kind {
    case .input, .variable, .constant: true
    case .arena, .threadCopies: false
    }
  }

  private func addChannelsLast(
    from source: Placement, to target: Placement, _ format: swk_format
  ) {
    let channels = source.shape[1]
    let pixels = source.shape[2...].reduce(1, *)
    let index = inputIndex(source)
    addSharded(
      label("Layout", target.elementType), reads: [source], writes: [target], alike: source.shape
    ) { memory, part in
      let from = part(source)
      let output = memory.address(part(target))
      let fixed = index == nil ? UnsafeRawPointer(memory.address(from)) : nil
      let inputs = memory.inputs
      let rows = from.shape[0] * pixels
      return {
        var format = format
        let input = fixed ?? inputs[index ?? 0] + from.offset
        swk_nchw_to_nhwc(
          input.assumingMemoryBound(to: Float.self), &format, output, channels, pixels, 0, rows)
      }
    }
  }

  /// Copies elements between two placements of the same shape and type.
  func addCopy(from source: Placement, to target: Placement, label given: StepLabel? = nil) {
    let index = inputIndex(source)
    addSharded(
      given ?? label("Copy", target.elementType), reads: [source], writes: [target],
      alike: source.shape, floats: comesEarly(source)
    ) { memory, part in
      let from = part(source)
      let to = part(target)
      let plan = StridedCopy(from: from, to: to)
      let output = memory.address(to)
      let fixed = index == nil ? UnsafeRawPointer(memory.address(from)) : nil
      let inputs = memory.inputs
      return {
        plan.run(from: fixed ?? inputs[index ?? 0] + from.offset, to: output, threads: 1)
      }
    }
  }
}
