// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension Resize: OnnxConvertible {
  static let onnxOperators = ["Resize", "Upsample"]

  /// `Upsample`, and `Resize` of operator set 10, sample at plain multiples of the scale.
  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(mode: try node.choice("mode", default: .nearest, old: ["bilinear": .linear]))
    if node.kind == "Upsample" || node.opset < 11 {
      coordinates = .asymmetric
      rounding = .floor
      if node.kind == "Upsample", node.opset < 9 {
        guard let scales = try node.floats("scales") else {
          throw .invalid(.missingAttribute("scales", expected: "one for each axis"))
        }
        node.setInput(2, to: Tensor(scales, shape: [scales.count]), suffix: "scales")
      } else {
        node.inputs.insert(.absent, at: min(1, node.inputs.count))
      }
      return
    }
    coordinates = try node.choice("coordinate_transformation_mode", default: .halfPixel)
    rounding = try node.choice("nearest_mode", default: .preferFloor)
    axes = try node.ints("axes")
    aspectPolicy = try node.choice("keep_aspect_ratio_policy", default: .stretch)
    antialiases = try node.bool("antialias", default: false)
    cubicCoefficient = try node.float("cubic_coeff_a", default: -0.75)
    excludesOutside = try node.bool("exclude_outside", default: false)
    extrapolationValue = try node.float("extrapolation_value", default: 0)
  }

  func write(to form: inout OnnxForm) throws(ConversionError) {
    form.set("mode", mode.rawValue, unless: "nearest")
    if form.opset < 11 { return try writePlain(to: &form) }
    if axes != nil || aspectPolicy != .stretch || antialiases { form.require(18) }
    if coordinates == .halfPixelSymmetric { form.require(19) }
    if !form.hasInput(1) || !form.hasInput(2) { form.require(13) }
    guard coordinates != .halfPixelForNearest || form.opset < 13 else {
      throw .unsupported("coordinates \(coordinates.rawValue) exist below operator set 13 only")
    }
    form.set("coordinate_transformation_mode", coordinates.rawValue, unless: "half_pixel")
    form.set("nearest_mode", rounding.rawValue, unless: "round_prefer_floor")
    if let axes { form.set("axes", axes) }
    form.set("keep_aspect_ratio_policy", aspectPolicy.rawValue, unless: "stretch")
    form.set("antialias", antialiases, unless: false)
    form.set("cubic_coeff_a", cubicCoefficient, unless: -0.75)
    form.set("exclude_outside", excludesOutside, unless: false)
    form.set("extrapolation_value", extrapolationValue, unless: 0)
  }

  private func writePlain(to form: inout OnnxForm) throws(ConversionError) {
    var plain = Resize(mode: mode, coordinates: .asymmetric, rounding: .floor)
    plain.cubicCoefficient = cubicCoefficient
    guard self == plain, mode != .cubic, form.hasInput(2), !form.hasInput(1), !form.hasInput(3)
    else { return form.require(11) }
    form.inputs.remove(at: 1)
    guard form.opset < 10 else { return }
    form.kind = "Upsample"
    guard form.opset < 9 else { return }
    guard let scales = form.constant(1) else { return form.require(9) }
    form.set("scales", scales.floats())
    form.inputs[1] = nil
  }
}

extension OnnxNode {
  /// A string attribute that names one of the cases of an enumeration.
  fileprivate mutating func choice<Choice: RawRepresentable<String>>(
    _ name: String, default value: Choice, old: [String: Choice] = [:]
  ) throws(ConversionError) -> Choice {
    guard let text = try string(name) else { return value }
    guard let choice = Choice(rawValue: text) ?? old[text] else {
      throw .unsupported("\(name) is \(text)")
    }
    return choice
  }
}
