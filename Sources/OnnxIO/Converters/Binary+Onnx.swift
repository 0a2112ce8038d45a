// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension Binary: OnnxConvertible {
  static let onnxOperators = Array(plainFunctions.keys).sorted() + ["Mod", "BitShift"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    node.ignore("consumed_inputs")
    if node.opset < 7 {
      try Binary.alignSecondInput(of: &node)
      node.ignore("broadcast")
    }
    if let function = Binary.plainFunctions[node.kind] {
      self.init(function)
      return
    }
    if node.kind == "Mod" {
      self.init(.modulo(isFmod: try node.bool("fmod", default: false)))
      return
    }
    let direction = try node.string("direction", default: "")
    switch direction {
    case "LEFT": self.init(.shiftLeft)
    case "RIGHT": self.init(.shiftRight)
    default:
      throw .invalid(
        .invalidAttribute(name: "direction", found: direction, expected: "LEFT or RIGHT"))
    }
  }

  /// Before operator set 7, the second operand's axes begin at a given one of the first operand, for
  /// `PRelu` at that of the channels; a constant takes the shape that broadcasts today.
  private static func alignSecondInput(of node: inout OnnxNode) throws(ConversionError) {
    let isSlope = node.kind == "PRelu"
    guard node.has("axis") || isSlope else { return }
    let shape = node.inputTypes.count > 1 ? node.inputTypes[1]?.shape : nil
    let given = try node.int("axis", default: 1, in: -64...64)
    if let shape, isSlope, shape.reduce(1, *) == 1 { return }
    guard let rank = node.inputTypes.first.flatMap({ $0 })?.rank, let shape,
      let operand = node.inputConstants[1]
    else {
      throw .unsupported(
        "broadcasting a computed operand along an axis, as before operator set 7")
    }
    if isSlope, shape.count != 1 { return }
    let start = given < 0 ? given + rank : given
    let trailing = rank - start - shape.count
    guard start >= 0, trailing >= 0 else {
      throw .invalid(
        .invalidAttribute(name: "axis", found: "\(given)", expected: "0…\(rank - shape.count)"))
    }
    if trailing == 0 { return }
    guard let aligned = try? operand.reshaped(to: shape + Array(repeating: 1, count: trailing))
    else { return }
    node.setInput(1, to: aligned, suffix: "aligned")
  }

  func write(to form: inout OnnxForm) {
    form.require(Binary.introductions[kind] ?? 7)
    let elementType = form.type(0)?.elementType
    switch function {
    case .add, .subtract, .multiply, .divide:
      if let elementType, elementType.isInteger, elementType.bitWidth < 32 { form.require(14) }
    case .modulo(let isFmod): form.set("fmod", isFmod, unless: false)
    case .shiftLeft: form.set("direction", "LEFT")
    case .shiftRight: form.set("direction", "RIGHT")
    case .equal:
      if elementType?.isFloatingPoint == true { form.require(11) }
    case .less, .greater:
      if elementType?.isInteger == true { form.require(9) }
    default: break
    }
  }

  private static let plainFunctions: [String: Function] = {
    let functions: [Function] = [
      .add, .subtract, .multiply, .divide, .power, .prelu, .equal, .less, .lessOrEqual, .greater,
      .greaterOrEqual, .and, .or, .xor, .bitwiseAnd, .bitwiseOr, .bitwiseXor,
    ]
    return Dictionary(uniqueKeysWithValues: functions.map { (Binary($0).kind, $0) })
  }()

  /// The operator sets that introduced the later ones.
  private static let introductions = [
    "Mod": 10, "BitShift": 11, "LessOrEqual": 12, "GreaterOrEqual": 12, "BitwiseAnd": 18,
    "BitwiseOr": 18, "BitwiseXor": 18,
  ]
}
