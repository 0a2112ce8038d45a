// SPDX-License-Identifier: Apache-2.0
import Foundation
import GraphIR
import TensorCore

/// The ONNX form of a node on its way out of a graph, in a given operator set.
struct OnnxForm {
  /// The standard operator set that is written.
  let opset: Int
  let graph: Graph
  let node: Node

  var kind: String
  var inputs: [ValueID?]
  private(set) var attributes: [OnnxAttributeProto] = []

  /// Nodes that together do the work, where one node cannot.
  private var decomposition: [OnnxNodeProto]?

  /// The function that the node calls, where it calls one.
  private(set) var function: OnnxFunctionProto?

  /// The least operator set in which the node has a form; the one that is written may be less,
  /// and the form is then of no use.
  private(set) var requiredOpset = 1

  /// Names that values around the graph have.
  private let outerNames: Set<String>

  init(_ node: Node, of graph: Graph, opset: Int, outerNames: Set<String> = []) {
    self.outerNames = outerNames
    self.opset = opset
    self.graph = graph
    self.node = node
    kind = node.op.kind
    inputs = node.inputs
  }

  /// The names that a graph inside the node must not give to values of its own.
  var takenNames: Set<String> { outerNames.union(graph.valueIDs.map { graph[$0].name }) }

  static func holdsSubgraphs(_ op: any Op) -> Bool { op is If || op is Loop || op is Scan }

  /// States that the form exists only from an operator set on.
  mutating func require(_ opset: Int) { requiredOpset = max(requiredOpset, opset) }

  func hasInput(_ index: Int) -> Bool { index < inputs.count && inputs[index] != nil }

  func constant(_ index: Int) -> Tensor? {
    index < inputs.count ? graph.constant(inputs[index]) : nil
  }

  func type(_ index: Int) -> TensorType? { index < inputs.count ? graph.type(inputs[index]) : nil }

  /// Leaves out the inputs from an index on.
  mutating func dropInputs(from index: Int) { inputs = Array(inputs.prefix(index)) }

  /// Writes an input that holds integers as an attribute; without a constant there, the operator
  /// set in which it became an input is required.
  mutating func moveIntegers(_ index: Int, to name: String, before opset: Int) {
    guard self.opset < opset, hasInput(index) else { return }
    guard let tensor = constant(index) else { return require(opset) }
    set(name, tensor.integers().map { Int($0) })
    inputs[index] = nil
  }

  /// Writes an input that holds one number as an attribute, as `moveIntegers` does.
  mutating func moveNumber(_ index: Int, to name: String, before opset: Int) {
    guard self.opset < opset, hasInput(index) else { return }
    guard let tensor = constant(index), tensor.count == 1, let value = tensor.floats().first,
      !value.isNaN
    else { return require(opset) }
    set(name, value)
    inputs[index] = nil
  }
}

// The nodes in the file.
extension OnnxForm {
  /// The node, or what stands for it.
  var protos: [OnnxNodeProto] {
    if let decomposition { return decomposition }
    var names = inputs.map { $0.map { graph[$0].name } ?? "" }
    while names.last == "" { names.removeLast() }
    var proto = OnnxForm.proto(kind, name: node.name, inputs: names, outputs: outputNames)
    proto.domain = node.op.domain
    proto.attribute = attributes
    return [proto]
  }

  var outputNames: [String] { node.outputs.map { $0.map { graph[$0].name } ?? "" } }

  var inputNames: [String] { inputs.map { $0.map { graph[$0].name } ?? "" } }

  /// Lets several nodes stand for this one.
  mutating func decompose(into nodes: [OnnxNodeProto]) { decomposition = nodes }

  /// Makes the node a call of a function that the model will hold.
  mutating func call(_ function: OnnxFunctionProto) {
    kind = function.name
    self.function = function
  }

  static func proto(
    _ kind: String, name: String, inputs: [String], outputs: [String]
  ) -> OnnxNodeProto {
    var proto = OnnxNodeProto()
    proto.opType = kind
    proto.name = name
    proto.input = inputs
    proto.output = outputs
    return proto
  }
}

// Attributes.
extension OnnxForm {
  private mutating func append(
    _ name: String, _ type: OnnxAttributeProto.AttributeType,
    _ fill: (inout OnnxAttributeProto) -> Void
  ) {
    var attribute = OnnxAttributeProto()
    attribute.name = name
    attribute.type = type
    fill(&attribute)
    attributes.append(attribute)
  }

  mutating func set(_ name: String, _ value: Int) { append(name, .int) { $0.i = Int64(value) } }

  mutating func set(_ name: String, _ value: Bool) { set(name, value ? 1 : 0) }

  mutating func set(_ name: String, _ value: Float) { append(name, .float) { $0.f = value } }

  mutating func set(_ name: String, _ value: String) {
    append(name, .string) { $0.s = Data(value.utf8) }
  }

  mutating func set(_ name: String, _ values: [Int]) {
    append(name, .ints) { $0.ints = values.map { Int64($0) } }
  }

  mutating func set(_ name: String, _ values: [Float]) {
    append(name, .floats) { $0.floats = values }
  }

  mutating func set(_ name: String, _ tensor: Tensor) {
    append(name, .tensor) { $0.t = TensorEncoder.proto(tensor, name: "") }
  }

  mutating func set(_ name: String, _ values: [String]) {
    append(name, .strings) { $0.strings = values.map { Data($0.utf8) } }
  }

  mutating func set(_ name: String, unlessEmpty values: [Float]) {
    if !values.isEmpty { set(name, values) }
  }

  mutating func set(_ name: String, _ graph: OnnxGraphProto) {
    append(name, .graph) { $0.g = graph }
  }

  mutating func set(_ name: String, _ type: ElementType) {
    set(name, OnnxElementTypes.code(type))
  }

  mutating func set(_ name: String, _ value: Int, unless common: Int) {
    if value != common { set(name, value) }
  }

  mutating func set(_ name: String, _ value: Bool, unless common: Bool) {
    if value != common { set(name, value) }
  }

  mutating func set(_ name: String, _ value: Float, unless common: Float) {
    if value != common { set(name, value) }
  }

  mutating func set(_ name: String, _ value: String, unless common: String) {
    if value != common { set(name, value) }
  }

  mutating func set(_ name: String, unlessEmpty values: [Int]) {
    if !values.isEmpty { set(name, values) }
  }

  /// Appends an attribute as an opaque node carries it.
  mutating func append(_ attribute: OnnxAttributeProto) { attributes.append(attribute) }
}
