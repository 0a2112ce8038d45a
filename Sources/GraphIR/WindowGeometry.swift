// SPDX-License-Identifier: Apache-2.0

/// The placement of a sliding window over spatial axes, with every default resolved.
///
/// Window position `o` along an axis covers the input positions
/// `o · stride + tap · dilation − padsBegin` for `tap` in `0..<kernel`; those outside
/// `0..<input` are padding. All lists have one entry per spatial axis.
///
/// Source: ONNX, operators Conv, MaxPool and AveragePool (`auto_pad`, `ceil_mode`).
package struct WindowGeometry: Sendable, Equatable {
  package let input: [Int]
  package let kernel: [Int]
  package let strides: [Int]
  package let dilations: [Int]
  package let padsBegin: [Int]
  package let padsEnd: [Int]
  package let output: [Int]

  /// No extent, stride, dilation or pad may exceed this, so that products cannot overflow.
  static let extentLimit = 1 << 30

  /// Resolves the geometry of a convolution or pooling.
  ///
  /// - Parameters:
  ///   - input: Extents of the spatial axes.
  ///   - kernel: Extents of the window, as many.
  ///   - strides: As many, or none for 1 everywhere; `dilations` likewise.
  ///   - padding: For `explicit`, the begins of all axes and then the ends, or none.
  ///   - ceilMode: Whether a last window that only partly fits counts. It is dropped if it would
  ///     start in the padding behind the input.
  /// - Throws: `OpError` if a list has the wrong length or a value out of range, or a window
  ///   does not fit the padded input.
  package init(
    input: [Int], kernel: [Int], strides: [Int] = [], dilations: [Int] = [],
    padding: Padding = .explicit([]), ceilMode: Bool = false
  ) throws(OpError) {
    let attributes = try WindowAttributes(
      rank: input.count, kernel: kernel, strides: strides, dilations: dilations, padding: padding)
    var begins: [Int] = []
    var ends: [Int] = []
    var output: [Int] = []
    for axis in input.indices {
      let placed = try attributes.placement(axis: axis, input: input[axis], ceilMode: ceilMode)
      begins.append(placed.begin)
      ends.append(placed.end)
      output.append(placed.output)
    }
    self.input = input
    self.kernel = kernel
    self.strides = attributes.strides
    self.dilations = attributes.dilations
    padsBegin = begins
    padsEnd = ends
    self.output = output
  }

  /// A geometry whose parts are already resolved and fit each other.
  init(
    input: [Int], kernel: [Int], strides: [Int], dilations: [Int], padsBegin: [Int],
    padsEnd: [Int], output: [Int]
  ) {
    self.input = input
    self.kernel = kernel
    self.strides = strides
    self.dilations = dilations
    self.padsBegin = padsBegin
    self.padsEnd = padsEnd
    self.output = output
  }

  /// Extents of the output as far as they follow from those of the input.
  ///
  /// A symbol is carried through where the window keeps every extent (stride 1 and padding to the
  /// same extent).
  ///
  /// - Throws: As the initialiser, for what is known.
  package static func outputDimensions(
    input: [Dimension], kernel: [Int], strides: [Int] = [], dilations: [Int] = [],
    padding: Padding = .explicit([]), ceilMode: Bool = false
  ) throws(OpError) -> [Dimension] {
    let attributes = try WindowAttributes(
      rank: input.count, kernel: kernel, strides: strides, dilations: dilations, padding: padding)
    var output: [Dimension] = []
    for (axis, dimension) in input.enumerated() {
      if let extent = dimension.value {
        let placed = try attributes.placement(axis: axis, input: extent, ceilMode: ceilMode)
        output.append(.fixed(placed.output))
      } else {
        output.append(attributes.keepsExtent(axis: axis) ? dimension : .unknown)
      }
    }
    return output
  }

  /// The taps of window position `position` along an axis that fall on the input.
  ///
  /// - Complexity: O(1).
  package func taps(axis: Int, position: Int) -> Swift.Range<Int> {
    let start = position * strides[axis] - padsBegin[axis]
    let dilation = dilations[axis]
    let first = start >= 0 ? 0 : (-start + dilation - 1) / dilation
    let room = input[axis] - start
    let last = room <= 0 ? 0 : min(kernel[axis], (room + dilation - 1) / dilation)
    return first..<max(first, last)
  }

  /// The window positions along an axis whose tap `tap` falls on the input.
  ///
  /// - Complexity: O(1).
  package func positions(axis: Int, tap: Int) -> Swift.Range<Int> {
    let shift = tap * dilations[axis] - padsBegin[axis]
    let stride = strides[axis]
    let first = shift >= 0 ? 0 : (-shift + stride - 1) / stride
    let room = input[axis] - shift
    let last = room <= 0 ? 0 : min(output[axis], (room + stride - 1) / stride)
    return first..<max(first, last)
  }
}

/// Strides, dilations and pads of a window operator with the defaults filled in and checked.
struct WindowAttributes {
  let kernel: [Int]
  let strides: [Int]
  let dilations: [Int]
  let padding: Padding

  init(
    rank: Int, kernel: [Int], strides: [Int], dilations: [Int], padding: Padding
  ) throws(OpError) {
    self.kernel = try Self.checked(kernel, name: "kernel_shape", count: rank, least: 1)
    self.strides = try Self.checked(
      strides.isEmpty ? [Int](repeating: 1, count: rank) : strides,
      name: "strides", count: rank, least: 1)
    self.dilations = try Self.checked(
      dilations.isEmpty ? [Int](repeating: 1, count: rank) : dilations,
      name: "dilations", count: rank, least: 1)
    guard case .explicit(let pads) = padding else {
      self.padding = padding
      return
    }
    let zeros = [Int](repeating: 0, count: 2 * rank)
    self.padding = .explicit(
      try Self.checked(pads.isEmpty ? zeros : pads, name: "pads", count: 2 * rank, least: 0))
  }

  /// The list, if it has `count` values in `least...extentLimit`.
  static func checked(
    _ values: [Int], name: String, count: Int, least: Int
  ) throws(OpError) -> [Int] {
    guard values.count == count else {
      throw .invalidAttribute(name: name, found: "\(values)", expected: "\(count) values")
    }
    guard values.allSatisfy({ (least...WindowGeometry.extentLimit).contains($0) }) else {
      throw .invalidAttribute(
        name: name, found: "\(values)",
        expected: "values in \(least)…\(WindowGeometry.extentLimit)")
    }
    return values
  }

  /// Extent of the window with the gaps that dilation makes.
  func reach(axis: Int) -> Int { (kernel[axis] - 1) * dilations[axis] + 1 }

  /// Whether the output extent is that of the input, whatever it is.
  func keepsExtent(axis: Int) -> Bool {
    guard strides[axis] == 1 else { return false }
    switch padding {
    case .sameUpper, .sameLower: return true
    case .valid: return reach(axis: axis) == 1
    case .explicit(let pads):
      return pads[axis] + pads[axis + kernel.count] == reach(axis: axis) - 1
    }
  }

  func placement(
    axis: Int, input: Int, ceilMode: Bool
  ) throws(OpError) -> (begin: Int, end: Int, output: Int) {
    guard (0...WindowGeometry.extentLimit).contains(input) else {
      throw .tooLarge(shape: [input])
    }
    let stride = strides[axis]
    let reach = reach(axis: axis)
    var begin = 0
    var end = 0
    switch padding {
    case .sameUpper, .sameLower:
      let output = (input + stride - 1) / stride
      let total = max(0, (output - 1) * stride + reach - input)
      begin = padding == .sameUpper ? total / 2 : total - total / 2
      return (begin, total - begin, output)
    case .valid: break
    case .explicit(let pads):
      begin = pads[axis]
      end = pads[axis + kernel.count]
    }
    let room = begin + input + end - reach
    guard room >= 0 else {
      throw .invalidShape(
        input: "spatial axis \(axis) of the padded input", found: [begin + input + end],
        expected: "at least the \(reach) that the window spans")
    }
    guard ceilMode else { return (begin, end, room / stride + 1) }
    let last = (room + stride - 1) / stride
    return (begin, end, last * stride < begin + input ? last + 1 : last)
  }
}
