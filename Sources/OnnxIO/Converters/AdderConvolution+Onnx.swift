// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// Written as a call of a function in the domain `swiftlet`, one for each kernel, strides and pads,
/// whose body runtimes can execute; its name begins with `AdderConv_`.
extension AdderConv: OnnxConvertible {
  static let onnxOperators = ["swiftlet::AdderConv"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(strides: try node.extents("strides"), padding: try node.padding())
  }

  func write(to form: inout OnnxForm) throws(ConversionError) {
    guard let weight = form.type(1)?.dimensions, weight.count >= 3,
      case let kernel = weight.dropFirst(2).compactMap(\.value), kernel.count == weight.count - 2
    else { throw .unsupported("the extents of its kernel are not known") }
    let geometry: WindowGeometry
    do throws(OpError) {
      geometry = try WindowGeometry(
        input: try inputExtents(form.type(0), kernel), kernel: kernel, strides: strides,
        padding: padding)
    } catch { throw .invalid(error) }
    form.require(13)
    form.set("strides", geometry.strides)
    form.set("pads", geometry.padsBegin + geometry.padsEnd)
    form.call(AdderFunction(geometry, opset: form.opset).proto)
  }

  /// The spatial extents of the input; where they are open and the pads do not depend on them, some
  /// that fit.
  private func inputExtents(
    _ type: TensorType?, _ kernel: [Int]
  ) throws(OpError) -> [Int] {
    let known = type?.dimensions?.dropFirst(2).compactMap(\.value) ?? []
    if known.count == kernel.count { return known }
    switch padding {
    case .explicit, .valid: return kernel
    case .sameUpper, .sameLower:
      guard strides.allSatisfy({ $0 == 1 }) else {
        throw .invalidAttribute(
          name: "auto_pad", found: "SAME", expected: "pads, as the extents of X are not known")
      }
      return kernel
    }
  }
}

/// The body of an adder convolution in operators of the standard: for each tap the distance between
/// the inputs under it, cut out of the padded input, and the weights of the tap.
private struct AdderFunction {
  let geometry: WindowGeometry
  private var body: FunctionBody

  init(_ geometry: WindowGeometry, opset: Int) {
    self.geometry = geometry
    body = FunctionBody(opset: opset)
    addNodes()
  }

  var proto: OnnxFunctionProto {
    body.function(
      AdderFunction.name(geometry), inputs: ["X", "W"], outputs: ["Y"],
      attributes: ["strides", "pads"],
      documentation: "-sum |X - W| over each window; padding counts as zeros")
  }

  private static func name(_ geometry: WindowGeometry) -> String {
    let parts = [geometry.kernel, geometry.strides, geometry.padsBegin + geometry.padsEnd]
    return "AdderConv_"
      + parts.map { $0.map { String($0) }.joined(separator: "x") }.joined(separator: "_")
  }

  private mutating func addNodes() {
    let rank = geometry.kernel.count
    let axes = Array(2..<(2 + rank))
    body.addList("axes", axes)
    body.addList("steps", geometry.strides)
    body.addList("ones", geometry.kernel.map { _ in 1 })
    body.addList("outputs", [1])
    body.addList("channels", [2])
    var padded = "X"
    if (geometry.padsBegin + geometry.padsEnd).contains(where: { $0 != 0 }) {
      body.addList("padding", [0, 0] + geometry.padsBegin + [0, 0] + geometry.padsEnd)
      body.add("Pad", ["X", "padding"], "padded")
      padded = "padded"
    }
    var distances: [String] = []
    for tap in 0..<geometry.kernel.reduce(1, *) {
      let place = position(of: tap)
      let next = place.map { $0 + 1 }
      // Counted from the end, so that a window's last position leaves room for the taps behind.
      let ends = zip(place, geometry.kernel).map { $0 == $1 - 1 ? Int(Int32.max) : $0 - $1 + 1 }
      body.addList("start\(tap)", place)
      body.addList("end\(tap)", ends)
      body.addList("next\(tap)", next)
      body.add("Slice", [padded, "start\(tap)", "end\(tap)", "axes", "steps"], "x\(tap)")
      body.add("Unsqueeze", ["x\(tap)", "outputs"], "inputs\(tap)")
      body.add("Slice", ["W", "start\(tap)", "next\(tap)", "axes", "ones"], "w\(tap)")
      body.add("Sub", ["inputs\(tap)", "w\(tap)"], "difference\(tap)")
      body.add("Abs", ["difference\(tap)"], "magnitude\(tap)")
      body.add("ReduceSum", ["magnitude\(tap)", "channels"], "distance\(tap)", ("keepdims", 0))
      distances.append("distance\(tap)")
    }
    body.add("Sum", distances, "distance")
    body.add("Neg", ["distance"], "Y")
  }

  private func position(of tap: Int) -> [Int] {
    var rest = tap
    var place: [Int] = []
    for extent in geometry.kernel.reversed() {
      place.insert(rest % extent, at: 0)
      rest /= extent
    }
    return place
  }
}
