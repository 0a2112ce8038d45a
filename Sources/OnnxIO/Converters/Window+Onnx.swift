// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// Attributes that convolutions and pooling share.
extension OnnxNode {
  /// `auto_pad` and `pads`.
  mutating func padding() throws(ConversionError) -> Padding {
    let automatic = try string("auto_pad", default: "NOTSET")
    let explicit = try ints("pads")
    switch automatic {
    case "NOTSET", "": return .explicit(try bounded(explicit ?? [], "pads", in: -65536...65536))
    case "SAME_UPPER": return .sameUpper
    case "SAME_LOWER": return .sameLower
    case "VALID": return .valid
    default:
      throw .invalid(
        .invalidAttribute(
          name: "auto_pad", found: automatic,
          expected: "NOTSET, SAME_UPPER, SAME_LOWER or VALID"))
    }
  }

  /// A list of extents such as `strides`; empty if it is not given.
  mutating func extents(_ name: String) throws(ConversionError) -> [Int] {
    try bounded(try ints(name) ?? [], name, in: 1...Int(Int32.max))
  }

  mutating func bounded(
    _ values: [Int], _ name: String, in range: ClosedRange<Int>
  ) throws(ConversionError) -> [Int] {
    guard values.allSatisfy(range.contains), values.count <= 64 else {
      throw .invalid(
        .invalidAttribute(
          name: name, found: "\(values.prefix(64))",
          expected: "\(range.lowerBound)…\(range.upperBound) for each axis"))
    }
    return values
  }

  mutating func poolingWindow() throws(ConversionError) -> PoolingWindow {
    let kernel = try extents("kernel_shape")
    guard !kernel.isEmpty else {
      throw .invalid(.missingAttribute("kernel_shape", expected: "an extent for each axis"))
    }
    return PoolingWindow(
      kernel: kernel, strides: try extents("strides"), dilations: try extents("dilations"),
      padding: try padding(), ceilMode: try bool("ceil_mode", default: false))
  }
}

extension OnnxForm {
  mutating func setPadding(_ padding: Padding) {
    switch padding {
    case .explicit(let pads): set("pads", unlessEmpty: pads)
    case .sameUpper: set("auto_pad", "SAME_UPPER")
    case .sameLower: set("auto_pad", "SAME_LOWER")
    case .valid: set("auto_pad", "VALID")
    }
  }

  mutating func setWindow(_ window: PoolingWindow) {
    set("kernel_shape", window.kernel)
    set("strides", unlessEmpty: window.strides)
    set("dilations", unlessEmpty: window.dilations)
    setPadding(window.padding)
    if window.ceilMode {
      require(10)
      set("ceil_mode", true)
    }
  }

  /// Writes the extents of the filter, where they are known; some readers want them.
  mutating func setKernelShape(ofInput index: Int) {
    if let shape = type(index)?.shape, shape.count > 2 { set("kernel_shape", Array(shape[2...])) }
  }
}
