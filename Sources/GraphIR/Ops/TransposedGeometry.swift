// SPDX-License-Identifier: Apache-2.0

/// The placement of a transposed convolution: what `WindowGeometry` is for a convolution.
struct TransposedGeometry {
  private let attributes: WindowAttributes
  private let outputPadding: [Int]
  private let outputShape: [Int]?

  init(_ op: ConvTranspose, kernel: [Int]) throws(OpError) {
    let rank = kernel.count
    attributes = try WindowAttributes(
      rank: rank, kernel: kernel, strides: op.strides, dilations: op.dilations, padding: op.padding)
    outputPadding = try WindowAttributes.checked(
      op.outputPadding.isEmpty ? [Int](repeating: 0, count: rank) : op.outputPadding,
      name: "output_padding", count: rank, least: 0)
    if let shape = op.outputShape {
      outputShape = try WindowAttributes.checked(
        shape.count == rank + 2 ? Array(shape.dropFirst(2)) : shape,
        name: "output_shape", count: rank, least: 1)
    } else {
      outputShape = nil
    }
  }

  /// Pads and output extent of an axis.
  ///
  /// - Throws: `OpError` if the pads leave nothing, or too much is left.
  func placement(
    axis: Int, input: Int
  ) throws(OpError) -> (begin: Int, end: Int, output: Int) {
    guard (1...WindowGeometry.extentLimit).contains(input) else {
      throw .invalidShape(
        input: "spatial axis \(axis) of X", found: [input],
        expected: "an extent of 1…\(WindowGeometry.extentLimit)")
    }
    let stride = attributes.strides[axis]
    let whole = stride * (input - 1) + attributes.reach(axis: axis) + outputPadding[axis]
    var begin = 0
    var end = 0
    var isAutomatic = false
    switch attributes.padding {
    case .explicit(let pads):
      begin = pads[axis]
      end = pads[axis + attributes.kernel.count]
    case .sameUpper, .sameLower: isAutomatic = true
    case .valid: break
    }
    if isAutomatic || outputShape != nil {
      let wanted = outputShape?[axis] ?? min(whole, input * stride)
      let total = whole - wanted
      // Negative if more is wanted than there is; the halves are rounded down then too.
      begin = attributes.padding == .sameUpper ? total >> 1 : total - (total >> 1)
      end = total - begin
    }
    guard whole - begin - end >= 1, whole - begin - end <= WindowGeometry.extentLimit else {
      throw .invalidAttribute(
        name: "pads", found: "\([begin, end])",
        expected: "an output of 1…\(WindowGeometry.extentLimit) out of \(whole)")
    }
    return (begin, end, whole - begin - end)
  }

  /// The convolution geometry that runs from this one's output to its input.
  func mirrored(input: [Int]) throws(OpError) -> WindowGeometry {
    var begins: [Int] = []
    var ends: [Int] = []
    var outputs: [Int] = []
    for axis in input.indices {
      let placed = try placement(axis: axis, input: input[axis])
      begins.append(placed.begin)
      ends.append(placed.end)
      outputs.append(placed.output)
    }
    return WindowGeometry(
      input: outputs, kernel: attributes.kernel, strides: attributes.strides,
      dilations: attributes.dilations, padsBegin: begins, padsEnd: ends, output: input)
  }
}

extension ConvTranspose {
  /// The pads of the convolution that runs the other way, from an output of this one to its input.
  ///
  /// Begins of all spatial axes and then ends; negative ones cut off what no window covers.
  ///
  /// - Parameters:
  ///   - input: Extents of the spatial axes of X.
  ///   - kernel: Extents of the kernel, as many.
  /// - Throws: `OpError` if the attributes do not fit.
  package func mirroredPads(input: [Int], kernel: [Int]) throws(OpError) -> [Int] {
    let geometry = try TransposedGeometry(self, kernel: kernel).mirrored(input: input)
    let ends = input.indices.map { axis in
      let reach = (kernel[axis] - 1) * geometry.dilations[axis] + 1
      return (input[axis] - 1) * geometry.strides[axis] + reach - geometry.padsBegin[axis]
        - geometry.input[axis]
    }
    return geometry.padsBegin + ends
  }
}

extension WindowGeometry {
  /// Adds every element of `x`, times the weights, to the places that its window covers.
  ///
  /// - Parameters:
  ///   - x: `[batch, channels, output…]`, with the extents that are this geometry's output.
  ///   - w: `[channels, made, kernel…]`, `made` outputs per group.
  ///   - bias: What each output channel starts from, `[made · group]`.
  /// - Returns: `[batch, made · group, input…]`, row-major.
  func spread(
    _ x: [Double], _ w: [Double], batch: Int, channels: Int, group: Int, made: Int, bias: [Double]?
  ) -> [Double] {
    let volume = input.reduce(1, *)
    let positions = output.reduce(1, *)
    let taps = kernel.reduce(1, *)
    let outputs = made * group
    let taken = channels / group
    var result = [Double](repeating: 0, count: batch * outputs * volume)
    if let bias, !result.isEmpty {
      for index in result.indices { result[index] = bias[index / volume % outputs] }
    }
    guard !result.isEmpty, !x.isEmpty, !w.isEmpty else { return result }
    let lines = lines()
    for image in 0..<batch {
      for channel in 0..<channels {
        let from = (image * channels + channel) * positions
        for output in 0..<made {
          let weight = (channel * made + output) * taps
          let to = (image * outputs + channel / taken * made + output) * volume
          for line in lines {
            let factor = w[weight + line.tap]
            var target = to &+ line.input
            for source in (from &+ line.output)..<(from &+ line.output &+ line.count) {
              result[target] += factor * x[source]
              target &+= line.step
            }
          }
        }
      }
    }
    return result
  }

  /// A run of neighbouring window positions and the input places that one tap covers there.
  struct Line {
    var tap: Int
    var input: Int
    var output: Int
    var count: Int
    var step: Int
  }

  /// All pairs of tap and window position that fall on the input, in lines along the last axis.
  func lines() -> [Line] {
    var lines = [Line(tap: 0, input: 0, output: 0, count: 1, step: 1)]
    for axis in kernel.indices {
      let isLast = axis == kernel.count - 1
      var longer: [Line] = []
      for line in lines {
        for tap in 0..<kernel[axis] {
          let covered = positions(axis: axis, tap: tap)
          let shift = tap * dilations[axis] - padsBegin[axis]
          var next = line
          next.tap = line.tap * kernel[axis] + tap
          for position in isLast ? covered.prefix(1) : covered {
            next.input = line.input * input[axis] + position * strides[axis] + shift
            next.output = line.output * output[axis] + position
            next.count = isLast ? covered.count : 1
            next.step = isLast ? strides[axis] : 1
            longer.append(next)
          }
        }
      }
      lines = longer
    }
    return lines
  }
}
