// SPDX-License-Identifier: Apache-2.0
import CKernels
import GraphIR
import TensorCore

extension ElementType {
  /// The type as our kernels name it, where they have it.
  var kernel: swk_type? {
    switch self {
    case .float32: SWK_F32
    case .bfloat16: SWK_BF16
    case .uint8: SWK_U8
    case .int8: SWK_S8
    case .int32: SWK_S32
    default: nil
    }
  }
}

extension ProgramBuilder {
  /// A dense copy of a tensor in another layout or type; `nil` where no conversion is known.
  func copied(
    _ source: Placement, _ layout: Layout, as type: ElementType
  ) throws(OneDNNError) -> Placement? {
    if source.elementType == .float32, source.shape.count >= 3, layout == .channelsLast,
      source.offset == 0, source.isDense(.plain), let to = type.kernel
    {
      let target = allocate(type, source.shape, layout)
      addChannelsLast(
        from: source, to: target, format: swk_format(type: to, scale: 1, zero_point: 0))
      return target
    }
    if source.elementType == type {
      let target = allocate(type, source.shape, layout)
      addCopy(from: source, to: target)
      return target
    }
    guard let from = source.elementType.kernel, let to = type.kernel else { return nil }
    var dense = source
    if isInput(source) || !source.isDense(layout) {
      dense = allocate(source.elementType, source.shape, layout)
      addCopy(from: source, to: dense)
    }
    let target = allocate(type, source.shape, layout)
    addConversion(
      from: dense, swk_format(type: from, scale: 1, zero_point: 0), to: target,
      swk_format(type: to, scale: 1, zero_point: 0), label: copyLabel("Convert", type))
    return target
  }

  func copyLabel(_ kind: String, _ type: ElementType) -> StepLabel {
    StepLabel(nodes: [], kind: kind, implementation: "swiftlet", precision: type.shortName)
  }

  /// Converts a dense tensor element by element.
  func addConversion(
    from source: Placement, _ from: swk_format, to target: Placement, _ to: swk_format,
    label: StepLabel
  ) {
    let count = source.count
    let sourceStride = source.elementType.bitWidth / 8
    let targetStride = target.elementType.bitWidth / 8
    let threads = threads
    add(
      Step(label: label, reads: [source.buffer], writes: [target.buffer]) { memory in
        let input = memory.address(source)
        let output = memory.address(target)
        return { _ in
          ThreadTeam.forEachRange(of: (count + 4095) / 4096, threads: count < 32768 ? 1 : threads) {
            blocks in
            let first = blocks.lowerBound * 4096
            let last = min(blocks.upperBound * 4096, count)
            var from = from
            var to = to
            swk_convert(
              &from, input + first * sourceStride, &to, output + first * targetStride,
              last - first)
          }
        }
      })
  }

  /// Brings a row-major `f32` tensor into channels-last order, converting on the way.
  func addChannelsLast(from source: Placement, to target: Placement, format: swk_format) {
    let channels = source.shape[1]
    let pixels = source.shape[2...].reduce(1, *)
    let rows = source.shape[0] * pixels
    let threads = rows * channels < 16384 ? 1 : threads
    let inputIndex: Int? =
      if case .input(let index) = buffers[source.buffer].kind { index } else { nil }
    add(
      Step(
        label: copyLabel("Layout", target.elementType), reads: [source.buffer],
        writes: [target.buffer]
      ) { memory in
        let output = memory.address(target)
        let fixed = inputIndex == nil ? UnsafeRawPointer(memory.address(source)) : nil
        return { inputs in
          let input = fixed ?? inputs[inputIndex ?? 0]
          let elements = input.assumingMemoryBound(to: Float.self)
          ThreadTeam.forEachRange(of: rows, threads: threads) { range in
            var format = format
            swk_nchw_to_nhwc(
              elements, &format, output, channels, pixels, range.lowerBound, range.upperBound)
          }
        }
      })
  }

  /// Copies elements between two placements of the same shape and type.
  func addCopy(from source: Placement, to target: Placement, label: StepLabel? = nil) {
    let plan = StridedCopy(from: source, to: target)
    let inputIndex: Int? =
      if case .input(let index) = buffers[source.buffer].kind { index } else { nil }
    let threads = threads
    add(
      Step(
        label: label ?? copyLabel("Copy", target.elementType), reads: [source.buffer],
        writes: [target.buffer]
      ) { memory in
        let output = memory.address(target)
        let fixed = inputIndex == nil ? UnsafeRawPointer(memory.address(source)) : nil
        let offset = source.offset
        return { inputs in
          let input = fixed ?? inputs[inputIndex ?? 0] + offset
          plan.run(from: input, to: output, threads: threads)
        }
      })
  }
}

extension ElementType {
  /// Such as `f32` or `u8`, for profiles.
  var shortName: String {
    switch self {
    case .float32: "f32"
    case .float64: "f64"
    case .float16: "f16"
    case .bfloat16: "bf16"
    case .int8: "s8"
    case .uint8: "u8"
    default: rawValue
    }
  }
}
