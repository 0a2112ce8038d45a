// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// Networks in IEEE half precision.
enum HalfPrecision {
  /// The greatest value of the type; larger ones are cut to it.
  static let greatest: Float = 65504

  /// The network computing in `float16` between inputs and outputs of the types they had.
  ///
  /// Constants become `float16`, saturated; casts stand behind inputs and before outputs.
  /// Operands that ONNX wants in single precision, such as the scales of `Resize`, stay.
  static func converted(_ graph: Graph) -> Graph {
    var result = graph
    result.setNodes([])
    var narrow: [ValueID: ValueID] = [:]
    for input in graph.inputs where graph.type(input)?.elementType == .float32 {
      narrow[input] =
        result.addNode(
          Cast(to: .float16), name: graph[input].name + "_Cast", inputs: [input],
          outputNames: [graph[input].name + "_float16"])[0]
    }
    let outputs = Set(graph.outputs)
    var casts: [(narrow: ValueID, output: ValueID)] = []
    for node in graph.nodes {
      var node = node
      for (position, input) in node.inputs.enumerated() {
        guard let input, !node.keepsSinglePrecision(position) else { continue }
        if narrow[input] == nil, let tensor = graph[input].constant,
          tensor.elementType == .float32
        {
          narrow[input] = result.addConstant(saturated(tensor), name: graph[input].name + "_fp16")
        }
        node.inputs[position] = narrow[input] ?? input
      }
      for (position, output) in node.outputs.enumerated() {
        guard let output, graph.type(output)?.elementType == .float32 else { continue }
        if outputs.contains(output) {
          let value = result.addValue(name: graph[output].name + "_float16")
          narrow[output] = value
          node.outputs[position] = value
          casts.append((value, output))
        } else {
          result.setType(nil, of: output)
        }
      }
      result.addNode(
        node.op.inHalfPrecision, name: node.name, inputs: node.inputs, outputs: node.outputs)
    }
    for (value, output) in casts {
      result.addNode(
        Cast(to: .float32), name: graph[output].name + "_Cast", inputs: [value],
        outputs: [output])
    }
    result.metadata.opset = max(graph.metadata.opset, 13)
    result.inferTypes()
    return result
  }

  private static func saturated(_ tensor: Tensor) -> Tensor {
    let values = tensor.floats().map { value in
      value.isFinite ? min(max(value, -greatest), greatest) : value
    }
    return Tensor(values, shape: tensor.shape).converted(to: .float16)
  }
}

/// Networks whose weights are stored as bfloat16.
enum BrainFloatWeights {
  /// Constants with fewer elements stay as they are.
  static let leastCount = 16

  /// The network with its larger `float32` constants as `bfloat16` behind a cast.
  static func converted(_ graph: Graph) -> Graph {
    var result = graph
    result.setNodes([])
    var wide: [ValueID: ValueID] = [:]
    for node in graph.nodes {
      var node = node
      for (position, input) in node.inputs.enumerated() {
        guard let input, let tensor = graph[input].constant, tensor.elementType == .float32,
          tensor.count >= leastCount, !node.keepsSinglePrecision(position)
        else { continue }
        if wide[input] == nil {
          let name = graph[input].name
          let constant = result.addConstant(
            tensor.converted(to: .bfloat16), name: name + "_bfloat16")
          wide[input] =
            result.addNode(
              Cast(to: .float32), name: name + "_Cast", inputs: [constant],
              outputNames: [name + "_float32"])[0]
        }
        node.inputs[position] = wide[input]
      }
      result.addNode(node.op, name: node.name, inputs: node.inputs, outputs: node.outputs)
    }
    result.metadata.opset = max(graph.metadata.opset, 13)
    result.inferTypes()
    return result
  }
}

/// An operator with operands or attributes that do not follow the type of the network.
private protocol SinglePrecisionOperands: Op {
  /// Positions of operands that ONNX wants in single precision.
  var singlePrecisionOperands: Set<Int> { get }
}

extension Resize: SinglePrecisionOperands {
  fileprivate var singlePrecisionOperands: Set<Int> { [1, 2] }
}

extension Node {
  fileprivate func keepsSinglePrecision(_ position: Int) -> Bool {
    (op as? any SinglePrecisionOperands)?.singlePrecisionOperands.contains(position) ?? false
  }
}

extension Op {
  /// The operator with attributes that name single precision changed to half.
  fileprivate var inHalfPrecision: any Op {
    if let cast = self as? Cast, cast.target == .float32 { return Cast(to: .float16) }
    if let filled = self as? ConstantOfShape, filled.value.elementType == .float32 {
      return ConstantOfShape(value: filled.value.converted(to: .float16))
    }
    return self
  }
}
