// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension BatchNormalization: OnnxConvertible {
  static let onnxOperators = ["BatchNormalization"]

  /// Before operator set 14 a training node is told by its further outputs alone; read for
  /// inference, it uses the stored statistics, and outputs that nothing uses are dropped.
  init(onnx node: inout OnnxNode) throws(ConversionError) {
    node.ignore("consumed_inputs", "is_test")
    if node.opset < 9, try node.bool("spatial", default: true) == false {
      throw .unsupported("statistics per position (spatial = 0)")
    }
    self.init(
      epsilon: try node.float("epsilon", default: 1e-5),
      momentum: try node.float("momentum", default: 0.9),
      trainingMode: try node.bool("training_mode", default: false))
    guard node.opset < 14 else { return }
    guard node.dropUnusedOutputs(from: 1) else {
      throw .unsupported("training statistics as outputs, before operator set 14")
    }
  }

  func write(to form: inout OnnxForm) {
    form.set("epsilon", epsilon, unless: 1e-5)
    form.set("momentum", momentum, unless: 0.9)
    form.set("training_mode", trainingMode, unless: false)
    form.require(trainingMode ? 14 : 7)
  }
}

extension LayerNormalization: OnnxConvertible {
  static let onnxOperators = ["LayerNormalization"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    guard try node.int("stash_type", default: 1) == 1 else {
      throw .unsupported("statistics in another type than float (stash_type)")
    }
    self.init(
      axis: try node.axis(default: -1), epsilon: try node.float("epsilon", default: 1e-5))
  }

  func write(to form: inout OnnxForm) {
    form.require(17)
    form.set("axis", axis, unless: -1)
    form.set("epsilon", epsilon, unless: 1e-5)
  }
}

extension InstanceNormalization: OnnxConvertible {
  static let onnxOperators = ["InstanceNormalization"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    node.ignore("consumed_inputs")
    self.init(epsilon: try node.float("epsilon", default: 1e-5))
  }

  func write(to form: inout OnnxForm) {
    form.require(6)
    form.set("epsilon", epsilon, unless: 1e-5)
  }
}

extension LocalResponseNormalization: OnnxConvertible {
  static let onnxOperators = ["LRN"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    guard node.has("size") else {
      throw .invalid(.missingAttribute("size", expected: "a number of channels"))
    }
    self.init(
      size: try node.int("size", default: 1, in: 1...65536),
      alpha: try node.float("alpha", default: 1e-4), beta: try node.float("beta", default: 0.75),
      bias: try node.float("bias", default: 1))
  }

  func write(to form: inout OnnxForm) {
    form.set("size", size)
    form.set("alpha", alpha, unless: 1e-4)
    form.set("beta", beta, unless: 0.75)
    form.set("bias", bias, unless: 1)
  }
}

extension Softmax: OnnxConvertible {
  static let onnxOperators = ["Softmax", "LogSoftmax"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    let isFlat = node.opset < 13
    self.init(
      axis: try node.axis(default: isFlat ? 1 : -1), isLogarithm: node.kind == "LogSoftmax",
      flattensTrailingAxes: isFlat)
  }

  /// Both meanings are the same along the last axis.
  ///
  /// Elsewhere, several nodes stand for the older one where the operator no longer has it.
  func write(to form: inout OnnxForm) {
    let isFlatThere = form.opset < 13
    let rank = form.type(0)?.rank
    let isLast = axis == -1 || rank.map { axis == $0 - 1 } == true
    if axis < 0 { form.require(11) }
    if flattensTrailingAxes == isFlatThere || isLast {
      form.set("axis", axis, unless: isFlatThere ? 1 : -1)
    } else if isFlatThere {
      form.require(13)
    } else if let input = form.inputNames.first, let output = form.outputNames.first {
      form.decompose(into: flattened(form, from: input, to: output))
    }
  }

  private func flattened(
    _ form: OnnxForm, from input: String, to output: String
  ) -> [OnnxNodeProto] {
    let shape = form.graph.uniqueName("\(output)_shape")
    let matrix = form.graph.uniqueName("\(output)_flat")
    let result = form.graph.uniqueName("\(output)_normalized")
    var attribute = OnnxAttributeProto()
    attribute.name = "axis"
    attribute.type = .int
    attribute.i = Int64(axis)
    var flatten = OnnxForm.proto("Flatten", name: "", inputs: [input], outputs: [matrix])
    flatten.attribute = [attribute]
    return [
      OnnxForm.proto("Shape", name: "", inputs: [input], outputs: [shape]),
      flatten,
      OnnxForm.proto(kind, name: form.node.name, inputs: [matrix], outputs: [result]),
      OnnxForm.proto("Reshape", name: "", inputs: [result, shape], outputs: [output]),
    ]
  }
}
