// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension QuantizedFunction: OnnxConvertible {
  static let onnxOperators = [
    "Add", "Mul", "Concat", "AveragePool", "GlobalAveragePool", "LeakyRelu", "Sigmoid", "Softmax",
    "ReduceMean", "Where",
  ].map { "com.microsoft::QLinear" + $0 }

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    if try node.bool("channels_last", default: false) {
      throw .unsupported("channels as the last axis (channels_last)")
    }
    switch node.kind {
    case "QLinearAdd": self.init(.add)
    case "QLinearMul": self.init(.multiply)
    case "QLinearConcat": self.init(.concat(axis: try node.axis()))
    case "QLinearAveragePool": self.init(.averagePool(try AveragePool(onnx: &node)))
    case "QLinearGlobalAveragePool": self.init(.globalAveragePool)
    case "QLinearLeakyRelu":
      self.init(.leakyRelu(alpha: try node.float("alpha", default: 0.01)))
    case "QLinearSigmoid": self.init(.sigmoid)
    case "QLinearSoftmax":
      let isFlat = try node.int("opset", default: 13) < 13
      self.init(
        .softmax(axis: try node.axis(default: isFlat ? 1 : -1), flattensTrailingAxes: isFlat))
    case "QLinearReduceMean":
      self.init(
        .reduceMean(
          axes: try node.ints("axes") ?? [],
          keepsDimensions: try node.bool("keepdims", default: true)
        ))
    case "QLinearWhere": self.init(.select)
    default: throw .unsupported("unknown")
    }
  }

  func write(to form: inout OnnxForm) {
    switch function {
    case .add, .multiply, .globalAveragePool, .sigmoid, .select: break
    case .concat(let axis): form.set("axis", axis)
    case .averagePool(let pool): pool.write(to: &form)
    case .leakyRelu(let alpha): form.set("alpha", alpha)
    case .softmax(let axis, let flattens):
      form.set("axis", axis)
      form.set("opset", flattens ? 11 : 13)
    case .reduceMean(let axes, let keeps):
      form.set("axes", unlessEmpty: axes)
      form.set("keepdims", keeps)
    }
  }
}

extension QuantizedGemm: OnnxConvertible {
  static let onnxOperators = ["com.microsoft::QGemm"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      alpha: try node.float("alpha", default: 1),
      transposesA: try node.bool("transA", default: false),
      transposesB: try node.bool("transB", default: false))
  }

  func write(to form: inout OnnxForm) {
    form.set("alpha", alpha, unless: 1)
    form.set("transA", transposesA, unless: false)
    form.set("transB", transposesB, unless: false)
  }
}

extension BlockQuantizedProduct: OnnxConvertible {
  static let onnxOperators = ["com.microsoft::MatMulNBits"]

  /// How precisely the product may be computed is left to us.
  init(onnx node: inout OnnxNode) throws(ConversionError) {
    node.ignore("accuracy_level")
    let bits = try node.int("bits", default: 4)
    guard bits == 2 || bits == 4 || bits == 8 else { throw .unsupported("codes of \(bits) bits") }
    guard !node.hasInput(4) else { throw .unsupported("an order of the rows (g_idx)") }
    guard let rows = try node.optionalInt("K", in: 1...(1 << 31)),
      let columns = try node.optionalInt("N", in: 1...(1 << 31)),
      let blockSize = try node.optionalInt("block_size", in: 1...(1 << 20))
    else {
      throw .invalid(.missingAttribute("K", expected: "K, N and block_size"))
    }
    self.init(rows: rows, columns: columns, bits: bits, blockSize: blockSize)
  }

  func write(to form: inout OnnxForm) {
    form.set("K", rows)
    form.set("N", columns)
    form.set("bits", bits)
    form.set("block_size", blockSize)
  }
}

extension FusedFunction: OnnxConvertible {
  static let onnxOperators =
    [
      "FusedConv", "FusedGemm", "FusedMatMul", "Gelu", "FastGelu", "BiasGelu", "QuickGelu",
      "SkipLayerNormalization", "SkipSimplifiedLayerNormalization",
    ].map { "com.microsoft::" + $0 } + ["SimplifiedLayerNormalization"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    switch node.kind {
    case "FusedConv":
      let activation = try FusedFunction.activation(&node)
      self.init(.conv(try Conv(onnx: &node), activation: activation))
    case "FusedGemm":
      let activation = try FusedFunction.activation(&node)
      self.init(.gemm(try Gemm(onnx: &node), activation: activation))
    case "FusedMatMul":
      for name in ["transBatchA", "transBatchB"] where try node.bool(name, default: false) {
        throw .unsupported("exchanged batch axes (\(name))")
      }
      self.init(
        .matMul(
          alpha: try node.float("alpha", default: 1),
          transposesA: try node.bool("transA", default: false),
          transposesB: try node.bool("transB", default: false)))
    case "Gelu": self.init(.gelu)
    case "FastGelu": self.init(.fastGelu)
    case "BiasGelu": self.init(.biasGelu)
    case "QuickGelu": self.init(.quickGelu(alpha: try node.float("alpha", default: 1.702)))
    case "SimplifiedLayerNormalization":
      node.ignore("stash_type")
      self.init(
        .rootMeanSquare(
          axis: try node.axis(default: -1), epsilon: try node.float("epsilon", default: 1e-5)))
    default:
      let epsilon = try node.float("epsilon", default: 1e-12)
      self.init(
        node.kind == "SkipLayerNormalization"
          ? .skipLayerNormalization(epsilon: epsilon) : .skipRootMeanSquare(epsilon: epsilon))
      for index in 1...2 where !node.leavesOut(output: index) {
        if case .skipRootMeanSquare = function {
          throw .unsupported("statistics as outputs")
        }
      }
    }
  }

  private static func activation(
    _ node: inout OnnxNode
  ) throws(ConversionError) -> Unary.Function? {
    let name = try node.string("activation", default: "")
    var parameters: [Float] = []
    for attribute in ["activation_alpha", "activation_beta", "activation_gamma"] {
      if let value = try node.float(attribute) { parameters.append(value) }
    }
    if let list = try node.floats("activation_params") { parameters = list }
    switch (name, parameters.count) {
    case ("", 0): return nil
    case ("Relu", 0): return .relu
    case ("Tanh", 0): return .tanh
    case ("Sigmoid", 0): return .sigmoid
    case ("LeakyRelu", 1): return .leakyRelu(alpha: parameters[0])
    case ("HardSigmoid", 2): return .hardSigmoid(alpha: parameters[0], beta: parameters[1])
    default: throw .unsupported("activation \(name)")
    }
  }

  func write(to form: inout OnnxForm) throws(ConversionError) {
    switch function {
    case .conv(let conv, let activation):
      conv.write(to: &form)
      try form.set(activation, list: true)
    case .gemm(let gemm, let activation):
      gemm.write(to: &form)
      try form.set(activation, list: false)
    case .matMul(let alpha, let transposesA, let transposesB):
      form.set("alpha", alpha, unless: 1)
      form.set("transA", transposesA, unless: false)
      form.set("transB", transposesB, unless: false)
    case .gelu, .fastGelu, .biasGelu: break
    case .quickGelu(let alpha): form.set("alpha", alpha)
    case .skipLayerNormalization(let epsilon), .skipRootMeanSquare(let epsilon):
      form.set("epsilon", epsilon)
    case .rootMeanSquare(let axis, let epsilon):
      form.set("axis", axis)
      form.set("epsilon", epsilon)
    }
  }
}

extension OnnxForm {
  fileprivate mutating func set(
    _ activation: Unary.Function?, list: Bool
  ) throws(ConversionError) {
    let parameters: [Float]
    switch activation {
    case nil: return
    case .relu: parameters = setActivation("Relu", [])
    case .tanh: parameters = setActivation("Tanh", [])
    case .sigmoid: parameters = setActivation("Sigmoid", [])
    case .leakyRelu(let alpha): parameters = setActivation("LeakyRelu", [alpha])
    case .hardSigmoid(let alpha, let beta):
      parameters = setActivation("HardSigmoid", [alpha, beta])
    default: throw .unsupported("an activation that the operator lacks")
    }
    if list {
      set("activation_params", unlessEmpty: parameters)
    } else {
      for (name, value) in zip(["activation_alpha", "activation_beta"], parameters) {
        set(name, value)
      }
    }
  }

  private mutating func setActivation(_ name: String, _ parameters: [Float]) -> [Float] {
    set("activation", name)
    return parameters
  }
}
