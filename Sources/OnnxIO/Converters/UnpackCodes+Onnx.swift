// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// Written as a call of a function in the domain `swiftlet`, one for each width, whose body runtimes
/// can execute from operator set 18 on; its name begins with `UnpackCodes_`.
extension UnpackCodes: OnnxConvertible {
  static let onnxOperators = ["swiftlet::UnpackCodes"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      bits: try node.int("bits", default: 2), isSigned: try node.bool("signed", default: false),
      shape: try node.ints("shape") ?? [])
  }

  func write(to form: inout OnnxForm) {
    form.require(18)
    form.set("bits", bits)
    form.set("signed", isSigned)
    form.set("shape", shape)
    form.call(function(opset: form.opset))
  }

  private func function(opset: Int) -> OnnxFunctionProto {
    let type = OnnxElementTypes.code(isSigned ? .int8 : .uint8)
    let byte = OnnxElementTypes.code(.uint8)
    var body = FunctionBody(opset: opset)
    body.addList("shape", ofAttribute: "shape")
    body.addList("axis", [1])
    body.addList("places", Array(stride(from: 0, to: 8, by: bits)))
    body.addInteger("all", (1 << bits) - 1)
    body.addList("first", [0])
    body.addList("flat", [-1])
    body.add("Unsqueeze", ["packed", "axis"], "column")
    body.add("Cast", ["places"], "shifts", ("to", byte))
    body.add("BitShift", ["column", "shifts"], "shifted", word: ("direction", "RIGHT"))
    body.add("Cast", ["all"], "mask", ("to", byte))
    body.add("BitwiseAnd", ["shifted", "mask"], "table")
    body.add("Reshape", ["table", "flat"], "padded")
    body.add("ReduceProd", ["shape"], "count", ("keepdims", 1))
    body.add("Slice", ["padded", "first", "count"], "list")
    body.add("Reshape", ["list", "shape"], isSigned ? "raw" : "codes")
    if isSigned {
      body.addInteger("half", 1 << (bits - 1))
      body.add("Cast", ["half"], "sign", ("to", byte))
      body.add("BitwiseXor", ["raw", "sign"], "flipped")
      // In 32 bits: not every runtime has differences of 8.
      body.add("Cast", ["flipped"], "wide", ("to", OnnxElementTypes.code(.int32)))
      body.add("Cast", ["half"], "offset", ("to", OnnxElementTypes.code(.int32)))
      body.add("Sub", ["wide", "offset"], "extended")
      body.add("Cast", ["extended"], "codes", ("to", type))
    }
    return body.function(
      "UnpackCodes_\(bits)" + (isSigned ? "_signed" : ""), inputs: ["packed"],
      outputs: ["codes"], attributes: ["bits", "signed", "shape"],
      documentation: "codes of \(bits) bits from bytes, low bits first")
  }
}
