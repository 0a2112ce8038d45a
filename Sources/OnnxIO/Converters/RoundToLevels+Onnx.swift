// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// Written as a call of a function in the domain `swiftlet`, one for each number of levels, whose
/// body runtimes can execute; its name begins with `RoundToLevels_`.
extension RoundToLevels: OnnxConvertible {
  static let onnxOperators = ["swiftlet::RoundToLevels"]

  init(onnx node: inout OnnxNode) throws(ConversionError) { self.init() }

  func write(to form: inout OnnxForm) throws(ConversionError) {
    guard let count = form.type(1)?.shape?.first ?? form.type(2)?.shape?.first, count > 0 else {
      throw .unsupported("the number of its levels is not known")
    }
    form.require(13)
    form.call(RoundToLevels.function(levels: count, opset: form.opset))
  }

  /// The search by halves, in operators of the standard.
  private static func function(levels count: Int, opset: Int) -> OnnxFunctionProto {
    var body = FunctionBody(opset: opset)
    body.addInteger("place0", 0)
    var place = "place0"
    var step = count / 2
    while step > 0 {
      body.addInteger("step\(step)", step)
      body.add("Add", [place, "step\(step)"], "next\(step)")
      body.add("Gather", ["least", "next\(step)"], "least\(step)")
      body.add("GreaterOrEqual", ["X", "least\(step)"], "reaches\(step)")
      body.add("Where", ["reaches\(step)", "next\(step)", place], "place\(step)")
      place = "place\(step)"
      step /= 2
    }
    body.add("Gather", ["levels", place], count > 1 ? "Y" : "level")
    // One level for all: of the shape of X.
    if count == 1 {
      body.add("Shape", ["X"], "shape")
      body.add("Expand", ["level", "shape"], "Y")
    }
    return body.function(
      "RoundToLevels_\(count)", inputs: ["X", "least", "levels"], outputs: ["Y"],
      documentation: "levels[i] with the greatest i for which X >= least[i], or levels[0]")
  }
}
