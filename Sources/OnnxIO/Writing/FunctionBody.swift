// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The body of a function that stands for one of our own operators, in operators of the standard.
struct FunctionBody {
  let opset: Int
  private var nodes: [OnnxNodeProto] = []

  init(opset: Int) { self.opset = opset }

  mutating func add(
    _ kind: String, _ inputs: [String], _ output: String, _ attribute: (String, Int)? = nil
  ) {
    var node = OnnxForm.proto(kind, name: "", inputs: inputs, outputs: [output])
    if let (name, value) = attribute {
      var proto = OnnxAttributeProto()
      proto.name = name
      proto.type = .int
      proto.i = Int64(value)
      node.attribute = [proto]
    }
    nodes.append(node)
  }

  mutating func add(
    _ kind: String, _ inputs: [String], _ output: String, word: (name: String, value: String)
  ) {
    var proto = OnnxAttributeProto()
    proto.name = word.name
    proto.type = .string
    proto.s = Data(word.value.utf8)
    var node = OnnxForm.proto(kind, name: "", inputs: inputs, outputs: [output])
    node.attribute = [proto]
    nodes.append(node)
  }

  /// Adds a scalar of 64 bits.
  mutating func addInteger(_ name: String, _ value: Int) {
    var attribute = OnnxAttributeProto()
    attribute.name = "value_int"
    attribute.type = .int
    attribute.i = Int64(value)
    addConstant(name, attribute)
  }

  /// Adds a list of integers of 64 bits.
  mutating func addList(_ name: String, _ values: [Int]) {
    var attribute = OnnxAttributeProto()
    attribute.name = "value_ints"
    attribute.type = .ints
    attribute.ints = values.map { Int64($0) }
    addConstant(name, attribute)
  }

  /// Adds the list of integers that a call gives as an attribute.
  mutating func addList(_ name: String, ofAttribute reference: String) {
    var attribute = OnnxAttributeProto()
    attribute.name = "value_ints"
    attribute.type = .ints
    attribute.refAttrName = reference
    addConstant(name, attribute)
  }

  private mutating func addConstant(_ name: String, _ attribute: OnnxAttributeProto) {
    var node = OnnxForm.proto("Constant", name: "", inputs: [], outputs: [name])
    node.attribute = [attribute]
    nodes.append(node)
  }

  func function(
    _ name: String, inputs: [String], outputs: [String], attributes: [String] = [],
    documentation: String
  ) -> OnnxFunctionProto {
    var function = OnnxFunctionProto()
    function.name = name
    function.domain = "swiftlet"
    function.docString = documentation
    function.input = inputs
    function.output = outputs
    function.attribute = attributes
    function.node = nodes
    var standard = OnnxOperatorSetIdProto()
    standard.version = Int64(opset)
    function.opsetImport = [standard]
    return function
  }
}
