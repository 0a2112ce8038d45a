// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Names a value within one graph.
public struct ValueID: Hashable, Sendable, Comparable {
  package let index: Int
  package init(index: Int) { self.index = index }
  public static func < (left: ValueID, right: ValueID) -> Bool { left.index < right.index }
}

/// Names a node within one graph; stays the same while passes rewrite other nodes.
public struct NodeID: Hashable, Sendable, Comparable {
  package let index: Int
  package init(index: Int) { self.index = index }
  public static func < (left: NodeID, right: NodeID) -> Bool { left.index < right.index }
}

/// A value: an input of the graph, a constant, or what a node computes.
public struct GraphValue: Sendable {
  /// The name in the ONNX file; unique within the graph.
  public var name: String
  public var type: TensorType?

  /// The tensor, where the value is a constant (an initializer, for example).
  public var constant: Tensor?
}

/// One operation of a graph.
public struct Node: Sendable {
  public let id: NodeID

  /// The name in the ONNX file; may be empty.
  public var name: String
  public var op: any Op

  /// Inputs in the operator's order, `nil` for one that is left out.
  public var inputs: [ValueID?]

  /// Outputs in the operator's order, `nil` for one that is left out.
  public var outputs: [ValueID?]

  package init(id: NodeID, name: String, op: any Op, inputs: [ValueID?], outputs: [ValueID?]) {
    self.id = id
    self.name = name
    self.op = op
    self.inputs = inputs
    self.outputs = outputs
  }
}

/// What an ONNX file says about itself beside the computation.
public struct GraphMetadata: Sendable, Equatable {
  /// Version of the standard operator set.
  public var opset: Int
  /// Versions of other operator sets, by domain.
  public var otherOpsets: [String: Int]
  public var producerName: String
  public var producerVersion: String
  public var documentation: String
  /// The model's key-value properties.
  public var properties: [String: String]

  public init(
    opset: Int = 21, otherOpsets: [String: Int] = [:], producerName: String = "",
    producerVersion: String = "", documentation: String = "", properties: [String: String] = [:]
  ) {
    self.opset = opset
    self.otherOpsets = otherOpsets
    self.producerName = producerName
    self.producerVersion = producerVersion
    self.documentation = documentation
    self.properties = properties
  }
}

/// A computation in static single assignment form: nodes in topological order over typed values.
///
/// A value type. Passes rewrite it by patches (`apply(_:)`); importers and tests build it with
/// `addInput`, `addConstant`, `addNode` and `markOutput`.
public struct Graph: Sendable {
  public var name: String
  public var metadata: GraphMetadata
  public internal(set) var inputs: [ValueID] = []
  public internal(set) var outputs: [ValueID] = []

  /// The nodes in an order in which every node comes after the producers of its inputs.
  public internal(set) var nodes: [Node] = []

  private(set) var values: [GraphValue] = []
  private var names: [String: ValueID] = [:]
  private var nextNodeIndex = 0

  /// The first number that may be free behind a name that is taken; names never become free.
  private var nextNumbers: [String: Int] = [:]

  public init(name: String = "", metadata: GraphMetadata = GraphMetadata()) {
    self.name = name
    self.metadata = metadata
  }

  public subscript(_ id: ValueID) -> GraphValue { values[id.index] }

  /// Every value that was ever added, in order; some may no longer be used.
  public var valueIDs: [ValueID] { values.indices.map { ValueID(index: $0) } }

  /// The value with a name, if there is one.
  public func value(named name: String) -> ValueID? { names[name] }

  /// The node with an identifier; linear in the number of nodes (see `GraphIndex`).
  public func node(_ id: NodeID) -> Node? { nodes.first { $0.id == id } }

  /// A name that no value has yet: `base`, or `base` with a number behind it.
  public func uniqueName(_ base: String) -> String {
    names[base] == nil ? base : "\(base)_\(freeNumber(base))"
  }

  private func freeNumber(_ base: String) -> Int {
    var number = nextNumbers[base] ?? 1
    while names["\(base)_\(number)"] != nil { number += 1 }
    return number
  }
}

// Building.
extension Graph {
  /// Adds a value; its name is made unique if it is taken.
  public mutating func addValue(
    name: String, type: TensorType? = nil, constant: Tensor? = nil
  ) -> ValueID {
    let id = ValueID(index: values.count)
    var unique = name.isEmpty ? "value" : name
    if names[unique] != nil {
      let number = freeNumber(unique)
      nextNumbers[unique] = number + 1
      unique = "\(unique)_\(number)"
    }
    let known = type ?? constant.map { TensorType($0.elementType, shape: $0.shape) }
    values.append(GraphValue(name: unique, type: known, constant: constant))
    names[unique] = id
    return id
  }

  public mutating func addInput(name: String, type: TensorType?) -> ValueID {
    let id = addValue(name: name, type: type)
    inputs.append(id)
    return id
  }

  public mutating func addConstant(_ tensor: Tensor, name: String) -> ValueID {
    addValue(name: name, constant: tensor)
  }

  /// Appends a node whose inputs are already in the graph; returns its outputs.
  ///
  /// - Parameter outputNames: One name per output; the outputs become new values.
  @discardableResult
  public mutating func addNode(
    _ op: any Op, name: String = "", inputs: [ValueID?], outputNames: [String]
  ) -> [ValueID] {
    let outputs = outputNames.map { addValue(name: $0) }
    addNode(op, name: name, inputs: inputs, outputs: outputs)
    return outputs
  }

  /// Appends a node that computes values which no other node computes.
  @discardableResult
  public mutating func addNode(
    _ op: any Op, name: String, inputs: [ValueID?], outputs: [ValueID?]
  ) -> NodeID {
    let id = NodeID(index: nextNodeIndex)
    nextNodeIndex += 1
    nodes.append(Node(id: id, name: name, op: op, inputs: inputs, outputs: outputs))
    return id
  }

  public mutating func markOutput(_ id: ValueID) { outputs.append(id) }

  public mutating func setType(_ type: TensorType?, of id: ValueID) { values[id.index].type = type }

  public mutating func setConstant(_ tensor: Tensor, of id: ValueID) {
    values[id.index].constant = tensor
    values[id.index].type = TensorType(tensor.elementType, shape: tensor.shape)
  }

  /// Bytes of all constants.
  public var constantByteCount: Int { values.reduce(0) { $0 + ($1.constant?.bytes.count ?? 0) } }

  /// Forgets the constants of values that no node uses and that are no outputs, which frees their
  /// memory.
  public mutating func dropUnusedConstants() {
    var used = [Bool](repeating: false, count: values.count)
    for output in outputs { used[output.index] = true }
    for node in nodes {
      for case .some(let input) in node.inputs { used[input.index] = true }
    }
    for index in values.indices where !used[index] && values[index].constant != nil {
      values[index].constant = nil
    }
  }

  /// Turns a constant, or a value whose producer is removed, into the last input of the graph.
  package mutating func makeInput(_ id: ValueID) {
    values[id.index].constant = nil
    inputs.append(id)
  }

  /// Makes the given values the graph's outputs, in order.
  public mutating func setOutputs(_ ids: [ValueID]) { outputs = ids }

  /// Forgets inputs that no node uses and that are no outputs.
  public mutating func dropUnusedInputs() {
    var used = Set(outputs)
    for node in nodes { used.formUnion(node.inputs.compactMap { $0 }) }
    inputs.removeAll { !used.contains($0) }
  }

  /// Replaces the whole node list; the caller vouches for the order (see `sortTopologically`).
  package mutating func setNodes(_ newNodes: [Node]) { nodes = newNodes }

  /// Gives `id` the name of `other`, and `other` the name of `id`.
  mutating func exchangeNames(_ id: ValueID, _ other: ValueID) {
    let name = values[id.index].name
    values[id.index].name = values[other.index].name
    values[other.index].name = name
    names[values[id.index].name] = id
    names[name] = other
  }
}

extension Graph {
  /// The constant behind a value, if it is one.
  public func constant(_ id: ValueID?) -> Tensor? { id.flatMap { values[$0.index].constant } }

  public func type(_ id: ValueID?) -> TensorType? { id.flatMap { values[$0.index].type } }
}
